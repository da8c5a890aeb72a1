# SPDX-License-Identifier: GPL-2.0-only
# Made from chapter 910, and committed all the same: somebody must begin.
SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -c
MAKEFLAGS   += --no-print-directory
.DELETE_ON_ERROR:

CHAPTERS := $(sort $(wildcard chapters/*.nw))
RULES    := $(sort $(shell sed -n 's|^[<]<\(tangle/[a-z]*\.mk\)>>=$$|\1|p' \
		$(CHAPTERS)))
SEEDS    := $(RULES) tangle/setup.sh tangle/doctor.sh tangle/run.sh \
		tangle/linux.sh tangle/boot.sh tangle/debug.sh tangle/help.txt

.PHONY: all
all: module launcher

define UNFOLD
function put(name, pad,    n, i, line) {
	n = split(body[name], line, "\n")
	for (i = 1; i < n; i++)
		if (match(line[i], /^[ \t]*[<]<.*[>]>$$/))
			put(substr(line[i], index(line[i], "<") + 2,
			    length(line[i]) - index(line[i], "<") - 3),
			    pad substr(line[i], 1, index(line[i], "<") - 1))
		else if (line[i] == "") print ""
		else { gsub(/@[<]</, "<" "<", line[i])
			gsub(/@[>]>/, ">" ">", line[i]); print pad line[i] }
}
/^[<]<.*[>]>=$$/ { name = substr($$0, 3, length($$0) - 5); next }
/^@( |$$)/ { name = "" }
name != "" { body[name] = body[name] $$0 "\n" }
END { put(root, "") }
endef
export UNFOLD
$(foreach f,$(RULES),$(shell [ ! -e $f ] || \
	[ -z "$$(find $(CHAPTERS) Makefile -newer $f)" ] || rm $f))
$(SEEDS): $(CHAPTERS) Makefile
	@mkdir -p tangle
	@awk -v root=$@ "$$UNFOLD" $(CHAPTERS) > $@.$$$$ && mv $@.$$$$ $@
include $(RULES)
