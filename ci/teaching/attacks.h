/* SPDX-License-Identifier: GPL-2.0-only */
/* Those who attack, in the order in which they are started, one at a time. */
#define ATTACKS(A) \
	A(read_kernel) A(read_zero) A(read_data) A(read_text) A(read_shared) A(write_shared) \
	A(run_shared) A(run_text) A(spoil_text) A(run_stack) A(run_heap) A(use_port) \
	A(load_cr3) A(halt) A(no_address) A(behind_area) A(step) A(break_point) \
	A(narrow_fault) A(no_stack) A(odd_flags) A(direction) A(ask_all) A(breed) \
	A(fresh_buffer) A(borrow) A(leave_secret) A(find_secret)
#define DECLARE(name) void name(void);
ATTACKS(DECLARE)
void first(void);
