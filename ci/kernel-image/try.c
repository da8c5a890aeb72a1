// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Launcher's reader of kernels against broken files: a list of lies, each
 * with the words of its refusal, in each layer of a small kernel that is packed
 * in each way; then random damage.  Built with ASan and UBSan, and with a hook
 * that looks at the size of whatever is allocated.
 * usage: try make FILE [FILLER]      write a small kernel, with so many bytes more
 *        try bend FOLDER SEED ROUNDS  FOLDER: kernel, and its payloads by packing
 *        try same FILE FILE...       each must have the same ELF file in it
 *        (with STOP in the environment, up to the first that is wrong)
 *        try load FILE MIB           print what is then in the memory
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <lz4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include "image.h"
#include "unpack.h"

#define BASE	0xffffffff80000000ULL
#define MEMORY	(128 * 1024)
#define PHYS	0x10000
#define END	(PHYS + 0x8000)
#define NOTES	0x800		/* in the file */
#define HEAD	0x1f1		/* the setup header */
#define ROOM	(1 << 20)

static unsigned char good[ROOM], file[ROOM], payload[ROOM];
static size_t good_size, size;
static struct memory mem;
static long tries, wrong;
static Elf64_Ehdr *const h = (void *)file;
static Elf64_Phdr *p;		/* of file: text, data, percpu, init, notes */

static void miss(void)
{
	wrong++;
	if (getenv("STOP")) {		/* one is enough */
		fflush(stdout);
		_exit(1);
	}
}

/* --- whatever is allocated ---------------------------------------------- */
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void *, size_t),
					      void (*)(const volatile void *));
static size_t largest;

static void see_malloc(const volatile void *at, size_t n)
{
	(void)at;
	if (n > largest)
		largest = n;
}

static void see_free(const volatile void *at)
{
	(void)at;
}

/* --- a small kernel ------------------------------------------------------ */
static void note(const char *owner, size_t name, unsigned int type, const void *bytes, size_t n)
{
	unsigned char *at = file + NOTES + p[4].p_filesz;
	Elf64_Nhdr head = { name, n, type };

	memcpy(at, &head, sizeof(head));
	at += sizeof(head);
	memset(at, 0, (name + 3) / 4 * 4 + (n + 3) / 4 * 4);
	memcpy(at, owner, name);
	memcpy(at + (name + 3) / 4 * 4, bytes, n);
	p[4].p_filesz += sizeof(head) + (name + 3) / 4 * 4 + (n + 3) / 4 * 4;
}

static void xen(unsigned int type, u64 value)
{
	note("Xen", 4, type, &value, 8);
}

static void xen_text(unsigned int type, const char *text)
{
	note("Xen", 4, type, text, strlen(text) + 1);
}

static void segment(int i, u64 offset, u64 virt, u64 phys, u64 in_file, u64 in_memory, int flags)
{
	p[i] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = flags, .p_offset = offset, .p_vaddr = virt,
			     .p_paddr = phys, .p_filesz = in_file, .p_memsz = in_memory, .p_align = 4096 };
}

static void make(size_t filler)
{
	memset(file, 0, sizeof(file));
	*h = (Elf64_Ehdr){ .e_ident = { 127, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			   .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT, .e_entry = PHYS,
			   .e_phoff = sizeof(*h), .e_ehsize = sizeof(*h), .e_phentsize = sizeof(*p), .e_phnum = 5 };
	p = (void *)(h + 1);
	segment(0, 0x1000, BASE + PHYS, PHYS, 0x1800, 0x1800, PF_R | PF_X);
	segment(1, 0x3000, BASE + PHYS + 0x2000, PHYS + 0x2000, 0x1000, 0x1800, PF_R | PF_W);
	segment(2, 0x4000, 0, PHYS + 0x4000, 0x123, 0x456, PF_R | PF_W);
	segment(3, 0x5000, BASE + PHYS + 0x5000, PHYS + 0x5000, 0x1000, 0x3000, PF_R | PF_W | PF_X);
	p[4] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_flags = PF_R, .p_offset = NOTES, .p_align = 4 };
	xen_text(6, "linux");
	xen_text(5, "xen-3.0");
	xen(3, BASE);
	xen(15, 0x8000000000);
	xen(1, BASE + PHYS + 0x5040);
	note("Xen", 4, 10, "!writable_page_tables|pae_pgdir_above_4gb", 41);	/* no zero at its end */
	note("Xen", 4, 16, "\1\0\0\0", 4);
	xen(4, 0);
	xen(12, 0xffff800000000000);		/* of no interest */
	note("GNU", 4, 3, "an id of twenty bytes", 20);	/* the type of VIRT_BASE, another owner */
	note("Linux", 6, 1, "6.1.0", 6);		/* the type of ENTRY */
	size = 0x6100;
	for (size_t i = 0x1000; i < 0x6000; i++)
		file[i] = i * i >> 7 ^ i % 251;
	for (size_t i = size; i < size + filler; i++)	/* what no segment wants */
		file[i] = i % 4093 ^ i >> 12;
	size += filler;
}

static void renew(void)
{
	memcpy(file, good, good_size);
	size = good_size;
	p = (void *)(h + 1);
}

/* --- one try, by its name ---- */
static const char *open_named(const char *path, struct image *image)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why;

	if (fd < 0) {
		perror(path);
		exit(2);
	}
	why = image_open(fd, image);
	close(fd);
	return why;
}

/* --- one try -------------------------------------------------------------- */
static const char *open_bytes(struct image *image)
{
	static char path[64];
	static int fd = -1;
	const char *why;

	if (fd < 0) {
		fd = memfd_create("kernel", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (ftruncate(fd, size) || pwrite(fd, file, size, 0) != (ssize_t)size) {
		perror("memfd");
		exit(2);
	}
	largest = 0;
	why = open_named(path, image);
	tries++;
	if (largest > UNPACK_MAX) {
		printf("WRONG: %zu bytes were allocated at once\n", largest);
		miss();
	}
	if (why && image->bytes) {
		printf("WRONG: \"%s\" left something behind\n", why);
		miss();
	}
	return why;
}

static struct image_notes notes;

/* open, read the notes, load: the first refusal */
static const char *all_of_it(void)
{
	struct image image;
	const char *why = open_bytes(&image);
	u64 end = 0;

	if (why)
		return why;
	why = image_notes(&image, &notes);
	if (!why)
		why = image_load(&image, &mem, &end);
	if (!why && end > mem.size) {
		printf("WRONG: it ends at %#llx\n", end);
		miss();
	}
	image_close(&image);
	return why;
}

static void say(const char *lie, const char *why, const char *words)
{
	printf("WRONG: %s: said \"%s\", must say \"%s\"\n", lie, why ? why : "(loaded)", words ? words : "(loaded)");
	miss();
}

static void want(const char *words, const char *lie)
{
	const char *why = all_of_it();

	if (!(words ? why && strstr(why, words) && !strchr(why, '\n') : !why))
		say(lie, why, words);
	renew();
}

#define LIE(words, change) do { change; want(words, #change); } while (0)

static void demand(int yes, const char *what)
{
	if (yes)
		return;
	printf("WRONG: %s\n", what);
	miss();
}

#define DEMAND(condition) demand(!!(condition), #condition)

/* --- the ELF file --------------------------------------------------------- */
static void elf_lies(void)
{
	static const u64 far[] = { MEMORY, MEMORY - 1, MEMORY + 1, 1ULL << 30, (4ULL << 30) - 1, 4ULL << 30 };
	struct image image;
	const char *why;
	static const u64 farther[] = { (4ULL << 30) + 1, 1ULL << 33, 1ULL << 63, -1ULL, -4096ULL, BASE };

	for (size_t i = 0; i < sizeof(*h); i++)
		LIE("not a kernel", size = i);
	for (int i = 0; i < 4; i++)
		LIE("not a kernel", h->e_ident[i] ^= 1 << i);
	LIE("x86-64", h->e_ident[EI_CLASS] = ELFCLASS32);
	LIE("x86-64", h->e_ident[EI_DATA] = ELFDATA2MSB);
	LIE("x86-64", h->e_machine = EM_386);
	h->e_machine = EM_386;
	why = open_bytes(&image);
	DEMAND(why && strstr(why, "x86-64"));		/* it is not even opened */
	renew();
	LIE("not fixed", h->e_type = ET_DYN);
	LIE("program headers", h->e_phentsize = 55);
	LIE("program headers", h->e_phnum = 0);
	LIE("program headers", h->e_phnum = 17);
	LIE("program headers", h->e_phnum = 65535);
	LIE("behind its end", h->e_phoff = size - 5 * 56 + 1);
	LIE("behind its end", h->e_phoff = -56ULL);
	LIE("behind its end", h->e_phoff = 1ULL << 63);
	LIE("behind its end", size = sizeof(*h) + 5 * 56 - 1);
	LIE(NULL, h->e_entry = 0);			/* it is not used */
	for (size_t i = 0; i < sizeof(far) / sizeof(*far); i++)
		for (int s = 0; s < 4; s++) {
			if (far[i] <= 1 << 30)
				LIE("try --memory", p[s].p_paddr = far[i]);
			if (far[i] > MEMORY - p[s].p_paddr && far[i] + p[s].p_paddr <= 4ULL << 30)
				LIE("try --memory", p[s].p_memsz = far[i]);
		}
	for (size_t i = 0; i < sizeof(farther) / sizeof(*farther); i++)
		for (int s = 0; s < 4; s++) {
			LIE("no Guest has memory", p[s].p_paddr = farther[i]);
			LIE("no Guest has memory", p[s].p_memsz = farther[i]);
			LIE("larger than its memory", p[s].p_filesz = farther[i]);
			if (s != 3)		/* the entry would be in less */
				LIE("shorter", p[s].p_offset = farther[i]);
		}
	LIE("no Guest has memory", p[0].p_paddr = -p[0].p_memsz);
	LIE("no Guest has memory", p[0].p_paddr = -p[0].p_memsz / 2);
	LIE(NULL, p[0].p_memsz = MEMORY - PHYS);
	LIE("try --memory", p[0].p_memsz = MEMORY - PHYS + 1);
	LIE("try --memory 2M", p[0].p_memsz = MEMORY - PHYS + 1);
	LIE("try --memory 4M", p[0].p_memsz = (1 << 20) - PHYS + 1);
	LIE("try --memory 4094M", p[0].p_memsz = (2047 << 20) - PHYS);
	LIE("try --memory 4096M", p[0].p_memsz = (2047 << 20) - PHYS + 1);
	LIE("try --memory 4096M", p[0].p_memsz = (4ULL << 30) - PHYS);
	LIE("larger than its memory", p[1].p_filesz = p[1].p_memsz + 1);
	LIE(NULL, p[1].p_filesz = p[1].p_memsz);
	LIE(NULL, p[1].p_filesz = 0);
	LIE(NULL, p[1].p_memsz = p[1].p_filesz = 0);
	LIE(NULL, (p[1].p_paddr = MEMORY, p[1].p_memsz = p[1].p_filesz = 0));
	LIE(NULL, p[1].p_offset = size - p[1].p_filesz);
	LIE("shorter", p[1].p_offset = size - p[1].p_filesz + 1);
	LIE("shorter", size = p[3].p_offset + p[3].p_filesz - 1);
	LIE(NULL, size = p[3].p_offset + p[3].p_filesz);
	LIE(NULL, p[1].p_paddr = p[0].p_paddr);		/* overlap: its own business */
	LIE(NULL, p[3].p_flags = PF_R | PF_W);		/* as newer linkers have it */
	LIE("leads out of its file", p[3].p_type = PT_NULL);
	LIE("leads out of its file", p[3].p_filesz = 0x40);
	LIE(NULL, p[3].p_filesz = 0x41);
	LIE("leads out of its file", p[3].p_vaddr += 0x41);
	LIE(NULL, p[3].p_vaddr += 0x40);
	LIE("nothing in it to load", (p[0].p_memsz = p[1].p_memsz = p[2].p_memsz = p[3].p_memsz = 0,
				      p[0].p_paddr = p[1].p_paddr = p[2].p_paddr = p[3].p_paddr = 0));
}

/* What is where in the memory, and what is left alone? */
static void loads(void)
{
	struct image image;
	u64 end;

	renew();
	memset(mem.base, 0xa5, mem.size);
	DEMAND(!open_bytes(&image) && !image.packing && image.size == good_size);
	DEMAND(!image_load(&image, &mem, &end) && end == END);
	for (u64 i = 0; i < mem.size; i++) {
		unsigned char is = mem.base[i], must = 0xa5;

		for (int s = 0; s < 4; s++)
			if (i >= p[s].p_paddr && i - p[s].p_paddr < p[s].p_memsz)
				must = i - p[s].p_paddr < p[s].p_filesz ?
				       good[p[s].p_offset + i - p[s].p_paddr] : 0;
		if (is == must)
			continue;
		printf("WRONG: at %#llx is %#x, must be %#x\n", i, is, must);
		miss();
		break;
	}
	image_close(&image);
}

/* --- the notes -------------------------------------------------------------- */
static void notes_are_read(void)
{
	renew();
	DEMAND(!all_of_it());
	DEMAND(notes.has_entry && notes.entry == BASE + PHYS + 0x5040);
	DEMAND(notes.has_virt_base && notes.virt_base == BASE);
	DEMAND(notes.has_init_p2m && notes.init_p2m == 0x8000000000);
	DEMAND(!notes.has_hypercall_page && !notes.hypercall_page);
	DEMAND(notes.mod_start_pfn == 1 && notes.paddr_offset == 0);
	DEMAND(!strcmp(notes.xen_version, "xen-3.0") && !strcmp(notes.guest_os, "linux"));
	DEMAND(!strcmp(notes.features, "!writable_page_tables|pae_pgdir_above_4gb"));
	xen(2, BASE + PHYS);
	DEMAND(!all_of_it() && notes.has_hypercall_page && notes.hypercall_page == BASE + PHYS);
	xen(4, 0x1000);
	DEMAND(!all_of_it() && notes.paddr_offset == 0x1000);
	note("Xen", 4, 4, "\xff\xff\xff\xff", 4);
	DEMAND(!all_of_it() && notes.paddr_offset == 0xffffffff);
	xen(1, BASE + PHYS);
	DEMAND(!all_of_it() && notes.entry == BASE + PHYS);	/* the last one */
	renew();
	note("Xen", 3, 1, "", 0);		/* other owners, other lengths */
	note("Xen2", 5, 1, "", 0);
	note("xen", 4, 1, "", 0);
	note("", 0, 1, "", 0);
	note("Xen", 4, 99, "", 0);
	DEMAND(!all_of_it());
	renew();
}

/* a note of which only the three numbers are there */
static void head_only(unsigned int name, unsigned int bytes)
{
	const Elf64_Nhdr head = { name, bytes, 1 };

	memcpy(file + NOTES + p[4].p_filesz, &head, sizeof(head));
	p[4].p_filesz += sizeof(head);
}

static void none(void)
{
	p[4].p_filesz = 0;
}

static void note_lies(void)
{
	static const struct { unsigned int type; const char *name; } number[] = {
		{ 1, "its entry" }, { 2, "its calls" }, { 3, "its base" }, { 4, "its offset" },
		{ 15, "its frames" }, { 16, "its initial disk" } };
	static const struct { unsigned int type; const char *name; } words[] = {
		{ 5, "its interface" }, { 6, "its name" }, { 10, "its features" } };
	static const unsigned int big[] = { 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffc, 0xfffffffd, 0xffffffff };
	char text[200];
	size_t whole;

	for (size_t i = 0; i < sizeof(number) / sizeof(*number); i++)
		for (size_t n = 0; n <= 16; n++)
			if (n != 4 && n != 8) {
				LIE("is torn", note("Xen", 4, number[i].type, text, n));
				LIE(number[i].name, note("Xen", 4, number[i].type, text, n));
			}
	memset(text, 'x', sizeof(text));
	for (size_t i = 1; i < sizeof(words) / sizeof(*words); i++) {
		LIE(words[i].name, note("Xen", 4, words[i].type, text, 128));
		LIE("128 letters", note("Xen", 4, words[i].type, text, 128));
		LIE("200 letters", note("Xen", 4, words[i].type, text, 200));
		LIE(NULL, note("Xen", 4, words[i].type, text, 127));
		LIE(NULL, note("Xen", 4, words[i].type, text, 0));
	}
	for (int c = 1; c < 256; c++)
		for (size_t i = 1; i < sizeof(words) / sizeof(*words); i++) {
			text[50] = c;
			LIE(c < ' ' || c > '~' ? "no text" : NULL, note("Xen", 4, words[i].type, text, 60));
		}
	LIE("'xen-2.0'", xen_text(5, "xen-2.0"));
	LIE("not for xen-3.0", xen_text(5, ""));
	LIE("not for xen-3.0", xen_text(5, "xen-3.01"));
	LIE(NULL, note("Xen", 4, 5, "xen-3.0\0 and more", 17));
	LIE("no Xen notes", none());
	LIE("no Xen notes", p[4].p_type = PT_NULL);
	LIE("no Xen notes", (none(), note("GNU", 4, 1, text, 8)));
	LIE("where it begins", (none(), xen_text(5, "xen-3.0")));
	LIE("where it begins", (none(), xen_text(5, "xen-3.0"), xen(1, BASE + PHYS)));
	LIE("not for xen-3.0", (none(), xen(3, BASE), xen(1, BASE + PHYS)));
	LIE(NULL, (none(), xen_text(5, "xen-3.0"), xen(3, BASE), xen(1, BASE + PHYS)));
	LIE("note about its calls, ", xen(2, BASE + PHYS - 0x1000));
	LIE("note about its calls, ", xen(2, BASE + PHYS + 1));
	LIE("note about its calls, ", xen(2, BASE + PHYS + 0x1000));
	LIE("note about its calls, ", xen(2, -1ULL));
	LIE("note about its calls, ", (p[0].p_vaddr += 0x10, p[0].p_paddr += 0x10, xen(2, BASE + PHYS)));
	LIE("note about its calls, ", (p[0].p_paddr += 0x1000, xen(2, BASE + PHYS)));
	LIE("note about its calls, ", (p[0].p_filesz = 0xfff, xen(2, BASE + PHYS)));
	LIE("leads out of its file", xen(1, BASE + PHYS - 1));
	LIE("leads out of its file", xen(1, BASE + PHYS + 0x1800));
	LIE(NULL, xen(1, BASE + PHYS + 0x17ff));
	LIE("leads out of its file", xen(1, PHYS));
	LIE("leads out of its file", xen(1, 0));	/* percpu: not there */
	LIE("leads out of its file", xen(1, -1ULL));

	/* the segment that holds them */
	LIE("notes end behind", p[4].p_offset = size - p[4].p_filesz + 1);
	LIE("notes end behind", p[4].p_offset = -1ULL);
	LIE("notes end behind", p[4].p_offset = -p[4].p_filesz);
	LIE("notes end behind", p[4].p_filesz = -1ULL);
	LIE("notes end behind", p[4].p_filesz = size - NOTES + 1);
	LIE("notes end behind", p[4].p_filesz = -(u64)NOTES);

	for (unsigned int i = 1; i < 16; i++) {		/* near 4 GiB: to fill it up to four wraps */
		LIE("torn", head_only(-i, 0));
		LIE("torn", head_only(0, -i));
	}
	LIE(NULL, head_only(0, 0));

	/* torn at each length: never more than there is, and the end's filling may be missing */
	whole = p[4].p_filesz;
	for (size_t n = 0; n < whole; n++) {
		const char *why;

		p[4].p_filesz = n;
		size = NOTES + n > 0x6000 ? NOTES + n : size;
		why = all_of_it();
		if (why && !strstr(why, "torn") && !strstr(why, "no Xen notes") && !strstr(why, "where it begins") &&
		    !strstr(why, "not for xen"))
			say("torn notes", why, "torn");
		renew();
	}
	/* a file that ends with its notes: ASan sees the byte behind */
	for (size_t n = 0; n <= whole; n++) {
		memcpy(file + size, file + NOTES, n);
		p[4].p_offset = size;
		p[4].p_filesz = n;
		size += n;
		all_of_it();
		renew();
	}
	/* each length in each of them */
	for (size_t at = 0; at < whole;) {
		Elf64_Nhdr n;
		size_t here = NOTES + at;

		memcpy(&n, file + here, sizeof(n));
		at += sizeof(n) + (n.n_namesz + 3) / 4 * 4 + (n.n_descsz + 3) / 4 * 4;
		for (size_t i = 0; i < sizeof(big) / sizeof(*big); i++) {
			LIE("torn", memcpy(file + here, &big[i], 4));
			LIE("torn", memcpy(file + here + 4, &big[i], 4));
		}
		for (unsigned int i = 0; i < 130; i++) {
			memcpy(file + here, &i, 4);
			all_of_it();
			renew();
			memcpy(file + here + 4, &i, 4);
			all_of_it();
			renew();
		}
	}
}

/* --- the wrapping ------------------------------------------------------------ */
static void put16(size_t at, unsigned int value)
{
	file[at] = value;
	file[at + 1] = value >> 8;
}

static void put32(size_t at, unsigned int value)
{
	put16(at, value);
	put16(at + 2, value >> 16);
}

#define SECTORS	0x1f1
#define FLAG	0x1fe
#define MAGIC	0x202
#define VERSION	0x206
#define OFFSET	0x248
#define LENGTH	0x24c
#define START	(3 * 512 + 100)	/* of the payload, with two sectors and an offset of 100 */

/* a bzImage around a payload, in file and in good */
static size_t wrap(size_t n)
{
	memset(file, 0x90, START);
	file[SECTORS] = 2;
	put16(FLAG, 0xaa55);
	memcpy(file + MAGIC, "HdrS", 4);
	put16(VERSION, 0x020f);
	put32(OFFSET, 100);
	put32(LENGTH, n);
	memcpy(file + START, payload, n);
	memset(file + START + n, 0xcc, 77);
	size = START + n + 77;
	memcpy(good, file, size);
	good_size = size;
	return START + n;
}

static size_t read_into(unsigned char *to, const char *folder, const char *name)
{
	char path[4096];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(2);
	}
	n = fread(to, 1, ROOM - 4096, f);
	fclose(f);
	return n;
}

static const char *const packing[] = { "gzip", "xz", "zstd", "lz4", "nothing" };
#define PACKINGS 5

static void wrapping_lies(const char *name)
{
	const char *any[] = { "not a kernel", "unknown", "ends behind", "damaged", "unpacks to", "nothing can",
			      "can be read", NULL };
	unsigned int n = good_size - START - 77;
	struct image image;

	want(NULL, name);
	DEMAND(!open_bytes(&image) && !strcmp(image.packing, name) && image.packed == n && image.protocol == 0x020f);
	image_close(&image);
	LIE("not a kernel", file[FLAG] ^= 1);
	LIE("not a kernel", file[FLAG + 1] ^= 0x80);
	for (int i = 0; i < 4; i++)
		LIE("not a kernel", file[MAGIC + i] ^= 1);
	LIE("2.07", put16(VERSION, 0x0207));
	LIE("0.00", put16(VERSION, 0));
	LIE(NULL, put16(VERSION, 0x0208));
	LIE(NULL, put16(VERSION, 0xffff));
	LIE("unknown", file[SECTORS] = 1);
	LIE("ends behind", (file[SECTORS] = 255, put32(LENGTH, size)));
	/* zero sectors are four */
	file[SECTORS] = 0;
	memmove(file + START + 1024, file + START, n);
	size += 1024;
	want(NULL, "zero sectors");
	LIE("unknown", put32(OFFSET, 99));
	LIE("ends behind", put32(OFFSET, 100 + 78));
	LIE("ends behind", put32(OFFSET, 0x7fffffff));
	LIE("ends behind", put32(OFFSET, 0xffffffff));
	LIE("ends behind", put32(OFFSET, -(3 * 512)));
	LIE("ends behind", put32(LENGTH, n + 78));
	LIE("ends behind", put32(LENGTH, 0xffffffff));
	LIE("ends behind", put32(LENGTH, -START));
	for (unsigned int i = 0; i <= 10; i++)		/* no room for a magic number and a size */
		LIE(i <= 6 ? "unknown" : "", put32(LENGTH, i));
	LIE("ends behind", size = START + n - 1);
	LIE(NULL, size = START + n);
	LIE("unpacks to 0 bytes", (put32(START + n - 4, 0)));
	LIE("1073741825 bytes", (put32(START + n - 4, UNPACK_MAX + 1)));
	LIE("4294967295 bytes", (put32(START + n - 4, 0xffffffff)));
	for (int i = -3; i <= 3; i++) {
		unsigned int is;

		memcpy(&is, file + START + n - 4, 4);
		LIE(i ? "damaged" : NULL, put32(START + n - 4, is + i));
	}
	LIE("damaged", put32(START + n - 4, 1));
	LIE("damaged", put32(START + n - 4, UNPACK_MAX));
	/* a byte more or less: gzip's is then behind its end, others' size is another */
	for (int i = -9; i <= 9; i++) {
		unsigned int is, all = n + i;

		if (!i)
			continue;
		memcpy(&is, file + START + n - 4, 4);
		memset(file + START + n, 0, 77);
		put32(START + all - 4, is);
		LIE("damaged", put32(LENGTH, all));
	}
	for (size_t i = 0; i < START + n; i += i < 0x300 ? 1 : 1 + i % 97) {
		const char *why;
		size_t k = 0;

		size = i;
		why = all_of_it();
		while (any[k] && (!why || !strstr(why, any[k])))
			k++;
		if (!any[k])
			say("cut off", why, "something fitting");
		renew();
	}
	/* one bit in each byte: only lz4 and nothing may not notice */
	for (size_t i = START; i < START + n; i += i < START + 100 || i > START + n - 40 ? 1 : 1 + i % 13) {
		file[i] ^= 1 << i % 8;
		all_of_it();
		renew();
	}
}

static void other_packings(void)
{
	LIE("packed with bzip2", memcpy(file + START, "BZh91AY", 7));
	LIE("packed with lzma", memcpy(file + START, "\x5d\0\0\x80", 4));
	LIE("packed with lzo", memcpy(file + START, "\x89LZO\0\r\n", 7));
	LIE("something unknown", memcpy(file + START, "\x04\x22\x4d\x18", 4));
	LIE("gzip, xz, zstd and lz4 can be read", memset(file + START, 0, 8));
}

/* The dictionary that an xz file asks for, from 4 KiB to 4 GiB. */
static void xz_dictionaries(void)
{
	unsigned char *block = file + START + 12, *at;

	for (int d = 0; d <= 40; d++) {
		size_t head = (block[0] + 1) * 4;
		const char *why;

		at = memmem(block, head, "\x21\x01", 2);
		if (!at) {
			demand(0, "an xz file without LZMA2");
			return;
		}
		at[2] = d;
		put32(block + head - 4 - file, crc32(0, block, head - 4));
		why = all_of_it();
		if (largest > 300 << 20)
			demand(0, "xz allocates more than it may");
		if (d > 31 ? !why || !strstr(why, "to unpack it takes") : d >= 10 && why)
			say("an xz dictionary", why, d > 31 ? "to unpack it takes" : NULL);
		renew();
	}
}

/* The window that a zstd file asks for, to 2 GiB, and more. */
static void zstd_windows(void)
{
	DEMAND(!(file[START + 4] & 0x20));	/* it has a window */
	for (int w = 0; w < 256; w++) {
		file[START + 5] = w;
		all_of_it();
		if (largest > 32 << 20)
			demand(0, "zstd allocates a window");
		renew();
	}
}

/* A block that fails, and then one that would make up for it. */
static void lz4_failure(void)
{
	unsigned int n = good_size - START - 77, is;
	int fails = LZ4_decompress_safe("\xff", (char *)payload, 1, 100);

	memcpy(&is, file + START + n - 4, 4);
	memmove(file + START + 4 + 5, file + START + 4, n - 8);
	put32(START + 4, 1);
	file[START + 8] = 0xff;
	put32(START + n + 5 - 4, is + fails);
	put32(LENGTH, n + 5);
	want("damaged", "a block that fails");
}

static void lz4_blocks(void)
{
	static const unsigned int lengths[] = { 0, 1, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		LIE("damaged", put32(START + 4, lengths[i]));
	lz4_failure();
}

static void not_files(void)
{
	struct image image;

	DEMAND(strstr(open_named("/dev/zero", &image), "not a file"));
	DEMAND(strstr(open_named("/", &image), "not a file"));
}

static void too_large(void)
{
	int fd = memfd_create("large", 0);
	char path[64];
	struct image image;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || ftruncate(fd, UNPACK_MAX + 1LL))
		exit(2);
	DEMAND(strstr(open_named(path, &image), "larger than 1 GiB"));
	if (ftruncate(fd, UNPACK_MAX))
		exit(2);
	DEMAND(strstr(open_named(path, &image), "not a kernel"));
	close(fd);
}

/* --- random damage ------------------------------------------------------------ */
static void damage(void)
{
	static const u64 nasty[] = { 0, 1, 3, 4, 7, 8, 55, 56, 57, 63, 64, 4095, 4096, PHYS, MEMORY - 1, MEMORY,
				     MEMORY + 1, 1 << 20, 1ULL << 31, 1ULL << 32, 1ULL << 63, -1ULL, -4ULL, -8ULL,
				     -56ULL, -4096ULL, BASE };
	u64 value = nasty[random() % (sizeof(nasty) / sizeof(*nasty))];
	size_t at, where[2][4] = {
		{ random() % sizeof(*h), sizeof(*h) + random() % (5 * 56), NOTES + random() % 0x1a0, random() % size },
		{ HEAD + random() % 0x80, START + random() % 64, random() % size, size - 77 - 1 - random() % 24 } };

	at = where[*file != ELFMAG0][random() % 4] % size;
	switch (random() % 6) {
	case 0:
	case 1:
		file[at] ^= 1 << random() % 8;
		break;
	case 2:
		file[at] = random();
		break;
	case 3:
		memcpy(file + at / 8 * 8, &value, 8);
		break;
	case 4:
		memcpy(file + at / 4 * 4, &value, 4);
		break;
	case 5:
		if (random() % 8 == 0)
			size = 1 + random() % good_size;
		else		/* a piece from elsewhere */
			memmove(file + at, file + random() % size, random() % 32);
		break;
	}
}

static void random_damage(const char *folder, unsigned int seed, long rounds)
{
	static unsigned char bases[PACKINGS + 1][ROOM];
	size_t sizes[PACKINGS + 1];
	long loaded = 0;

	sizes[0] = read_into(bases[0], folder, "kernel");
	for (int i = 0; i < PACKINGS; i++) {
		wrap(read_into(payload, folder, packing[i]));
		memcpy(bases[i + 1], good, good_size);
		sizes[i + 1] = good_size;
	}
	srandom(seed);
	for (long i = 0; i < rounds; i++) {
		/* half of them as ELF, where there is the most to be damaged */
		int base = random() % 2 ? 0 : random() % (PACKINGS + 1), hits = 1 + random() % 4;

		good_size = sizes[base];
		memcpy(good, bases[base], good_size);
		renew();
		while (hits--)
			damage();
		loaded += !all_of_it();
	}
	printf("%ld damaged files, %ld of them still loaded\n", rounds, loaded);
}

static int bend(const char *folder, unsigned int seed, long rounds)
{
	if (!memory_map(&mem, MEMORY))
		return 2;
	good_size = read_into(good, folder, "kernel");
	renew();
	want(NULL, "nothing changed");
	elf_lies();
	loads();
	notes_are_read();
	note_lies();
	not_files();
	too_large();
	for (int i = 0; i < PACKINGS; i++) {
		wrap(read_into(payload, folder, packing[i]));
		wrapping_lies(packing[i]);
		if (i == 0)
			other_packings();
		if (i == 1)
			xz_dictionaries();
		if (i == 2)
			zstd_windows();
		if (i == 3)
			lz4_blocks();
	}
	random_damage(folder, seed, rounds);
	printf("%ld files tried, %ld wrong\n", tries, wrong);
	return !!wrong;
}

/* Every file must have the ELF file in it that the first one is. */
static int same(char **paths)
{
	struct image first, image;
	const char *why = open_named(*paths, &first);

	if (why)
		printf("WRONG: %s: %s\n", *paths, why);
	while (!why && *++paths) {
		why = open_named(*paths, &image);
		if (why)
			printf("WRONG: %s: %s\n", *paths, why);
		else if (image.size != first.size || memcmp(image.bytes, first.bytes, image.size))
			why = "differs", printf("WRONG: %s differs\n", *paths);
		else
			image_close(&image);
	}
	image_close(&first);
	return !!why;
}

static int load(const char *path, u64 mib)
{
	struct image image;
	const char *why = open_named(path, &image);
	u64 end = 0;

	if (!why && !memory_map(&mem, mib << 20))
		return 2;
	if (!why)
		memset(mem.base, 0, mem.size);
	why = why ? why : image_load(&image, &mem, &end);
	if (why)
		fprintf(stderr, "%s: %s\n", path, why);
	else if (fwrite(mem.base, 1, end, stdout) != end)
		why = "cannot write";
	image_close(&image);
	return !!why;
}

int main(int argc, char **argv)
{
	__sanitizer_install_malloc_and_free_hooks(see_malloc, see_free);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	if (argc >= 3 && !strcmp(argv[1], "make")) {
		FILE *f = fopen(argv[2], "wb");
		size_t more = argc == 4 ? strtoul(argv[3], NULL, 0) : 0, done = 0;

		make(more < ROOM / 2 ? more : 0);
		if (!f || fwrite(file, 1, size, f) != size)
			return 2;
		if (more >= ROOM / 2)		/* larger than what we bend */
			for (; done < more; done += 0x5000)
				if (fwrite(file + 0x1000, 1, 0x5000, f) != 0x5000)
					return 2;
		return fclose(f) ? 2 : 0;
	}
	if (argc == 5 && !strcmp(argv[1], "bend"))
		return bend(argv[2], strtoul(argv[3], NULL, 0), strtol(argv[4], NULL, 0));
	if (argc >= 4 && !strcmp(argv[1], "same"))
		return same(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "load"))
		return load(argv[2], strtoul(argv[3], NULL, 0));
	fprintf(stderr, "usage: see try.c\n");
	return 2;
}
