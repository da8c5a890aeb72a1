# SPDX-License-Identifier: GPL-2.0-only
# The way out, followed by single instructions.
python3 ci/follow/follow.py out
