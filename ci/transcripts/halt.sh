# SPDX-License-Identifier: GPL-2.0-only
# What Spin says of the model of the halt, and of six wrong ones.
#= s/[0-9]+ states/N states/
ci/checks/halt-model
