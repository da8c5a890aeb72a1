# SPDX-License-Identifier: GPL-2.0-only
# The way in, followed by single instructions.
python3 ci/follow/follow.py in
