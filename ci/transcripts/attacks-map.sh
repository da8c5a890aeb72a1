# SPDX-License-Identifier: GPL-2.0-only
# Who tries what, what stops it, where, and what is without it.
echo '$ ci/attacks/plan.py show'
python3 -B ci/attacks/plan.py show
