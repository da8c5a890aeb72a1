# SPDX-License-Identifier: GPL-2.0-only
# The shadow page tables in a user program, with a small Guest.
ci/shadow-show/run shadows
