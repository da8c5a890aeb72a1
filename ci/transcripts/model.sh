# SPDX-License-Identifier: GPL-2.0-only
# A short run of the model checker, and the lines of it that the chapter is about.
echo '$ SEED=7 STEPS=100000 ONLY=1 ci/checks/shadow-model'
SEED=7 STEPS=100000 ONLY=1 ci/checks/shadow-model |
	grep -E '^SEED|themselves|two levels|as data|freed while|entries that have just|not true any more|several parents|shows$|shadow pages made|^ +level|slots compared|addresses reached|addresses compared$'
