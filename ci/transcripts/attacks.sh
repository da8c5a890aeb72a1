# SPDX-License-Identifier: GPL-2.0-only
# Every attack, and what came of it.
LIMIT=3000 ci/checks/attacks
