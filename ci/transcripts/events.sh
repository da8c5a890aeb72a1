# SPDX-License-Identifier: GPL-2.0-only
# The stress of ci/checks/events, on four processors, without what depends on the machine.
set -o pipefail
ci/checks/events --cpus 4 2>&1 | grep -e lost -e wrong$ -e WRONG
