// SPDX-License-Identifier: GPL-2.0-only
/*
 * The Launcher's ELF loader against broken files: a list of lies, each with
 * the words of its refusal, then random damage.  Built with ASan and UBSan.
 * usage: try GUEST SEED ROUNDS
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "elf.h"		/* the Launcher's */
#include "memory.h"

#define MEMORY (64 * 1024)

static unsigned char good[1 << 20], file[1 << 20];
static size_t good_size, size;
static struct memory mem;
static int tries, wrong;
static Elf64_Ehdr *const h = (void *)file;
static Elf64_Phdr *p;

static void renew(void)
{
	memcpy(file, good, good_size);
	size = good_size;
	p = (void *)(file + h->e_phoff);
}

static const char *load(u64 *entry)
{
	int fd = memfd_create("guest", 0);
	const char *why;

	if (fd < 0 || write(fd, file, size) != (ssize_t)size) {
		perror("memfd");
		exit(2);
	}
	memset(mem.base, 0, mem.size);
	why = elf_load(fd, &mem, entry);
	close(fd);
	tries++;
	return why;
}

static void want(const char *words, const char *lie)
{
	u64 entry;
	const char *why = load(&entry);

	if (words ? why && strstr(why, words) && !strchr(why, '\n') : !why) {
		renew();
		return;
	}
	wrong++;
	printf("WRONG: %s: said \"%s\", must say \"%s\"\n", lie, why ? why : "(loaded)",
	       words ? words : "(loaded)");
	renew();
}

#define LIE(words, change) do { change; want(words, #change); } while (0)

static void header_lies(void)
{
	for (size_t i = 0; i < sizeof(*h); i++)
		LIE("too short", size = i);
	for (int i = 0; i < 4; i++)
		LIE("not ELF", h->e_ident[i] ^= 1 << i);
	LIE("x86-64", h->e_ident[EI_CLASS] = ELFCLASS32);
	LIE("x86-64", h->e_ident[EI_DATA] = ELFDATA2MSB);
	LIE("x86-64", h->e_machine = EM_AARCH64);
	LIE("x86-64", h->e_machine = EM_386);
	LIE("-static", h->e_type = ET_DYN);
	LIE("-static", h->e_type = ET_REL);
	LIE("-static", h->e_type = ET_CORE);
	LIE("program headers", h->e_phentsize = 0);
	LIE("program headers", h->e_phentsize = 55);
	LIE("program headers", h->e_phentsize = 65535);
	LIE("program headers", h->e_phnum = 0);
	LIE("program headers", h->e_phnum = 17);
	LIE("program headers", h->e_phnum = 65535);
	LIE("behind its end", h->e_phoff = size);
	LIE("behind its end", h->e_phoff = size - 1);
	LIE("behind its end", h->e_phoff = size - h->e_phnum * 56 + 1);
	LIE("behind its end", h->e_phoff = -1ULL);
	LIE("behind its end", h->e_phoff = -56ULL);
	LIE("behind its end", h->e_phoff = -(u64)h->e_phnum * 56);
	LIE("behind its end", h->e_phoff = 1ULL << 63);
	LIE("behind its end", size = h->e_phoff + h->e_phnum * 56 - 1);
	LIE("_start", h->e_entry = 0);
	LIE("_start", h->e_entry = -1ULL);
	LIE("_start", h->e_entry = MEMORY);
	LIE("_start", h->e_entry = p[0].p_vaddr - 1);
	LIE("_start", h->e_entry = p[0].p_vaddr + p[0].p_filesz);
	LIE("_start", h->e_entry = p[1].p_vaddr);
	LIE(NULL, h->e_entry = p[0].p_vaddr + p[0].p_filesz - 1);
}

static void segment_lies(void)
{
	static const u64 far[] = { MEMORY, MEMORY - 1, MEMORY + 1, 1ULL << 32, 1ULL << 63,
				   -1ULL, -4096ULL, 0xffff800000000000, 0x7fffffffffffffff };

	for (size_t i = 0; i < sizeof(far) / sizeof(*far); i++) {
		LIE("exceed memory", p[0].p_paddr = p[0].p_vaddr = far[i]);
		LIE("exceed memory", p[1].p_paddr = p[1].p_vaddr = far[i]);
		LIE("exceed memory", p[0].p_memsz = far[i]);
		LIE("exceed memory", p[1].p_memsz = far[i]);
		LIE("larger than its memory", p[1].p_filesz = far[i]);
		LIE("shorter", (p[1].p_filesz = far[i], p[1].p_memsz = far[i]));
		LIE("shorter", p[0].p_offset = size + far[i] % (-size));
	}
	LIE("exceed memory", p[0].p_memsz = MEMORY - p[0].p_paddr + 1);
	LIE(NULL, p[0].p_memsz = MEMORY - p[0].p_paddr);
	LIE("exceed memory", (p[0].p_paddr = p[0].p_vaddr = -p[0].p_memsz));
	LIE("exceed memory", (p[0].p_paddr = p[0].p_vaddr = -p[0].p_memsz / 2));
	LIE("larger than its memory", p[0].p_filesz = p[0].p_memsz + 1);
	LIE("shorter", p[0].p_offset = size - p[0].p_filesz + 1);
	LIE("shorter", size = p[1].p_offset + p[1].p_filesz - 1);
	LIE("virtual", p[0].p_vaddr = 0x400000);
	LIE("virtual", p[1].p_vaddr += 4096);
	LIE("dynamic linker", p[0].p_type = PT_INTERP);
	LIE("dynamic linker", p[1].p_type = PT_INTERP);
	LIE("_start", p[0].p_type = PT_NOTE);
	LIE("_start", p[0].p_flags = PF_R | PF_W);
	LIE("_start", (p[0].p_filesz = 0));
	LIE(NULL, p[1].p_type = PT_NULL);
	LIE(NULL, p[1].p_filesz = 0);
	LIE(NULL, (p[1].p_paddr = p[1].p_vaddr = p[0].p_paddr));	/* overlap: its own business */
}

static void not_files(void)
{
	const char *why;
	u64 entry;
	int pair[2], fds[4] = { open("/dev/zero", O_RDONLY), open("/", O_RDONLY), -1, -1 };

	if (pipe(pair))
		exit(2);
	fds[2] = pair[0];
	for (int i = 0; i < 4; i++) {
		why = elf_load(fds[i], &mem, &entry);
		tries++;
		if (!why || !strstr(why, "not a file")) {
			wrong++;
			printf("WRONG: descriptor %d: said \"%s\"\n", i, why ? why : "(loaded)");
		}
	}
}

/* Damage anything; the sanitizers and the guard pages are the judges. */
static void random_damage(unsigned int seed, long rounds)
{
	static const u64 nasty[] = { 0, 1, 7, 8, 55, 56, 57, 63, 64, 4095, 4096, MEMORY - 1, MEMORY,
				     MEMORY + 1, 1ULL << 31, 1ULL << 32, 1ULL << 63, -1ULL, -8ULL,
				     -56ULL, -4096ULL, -65536ULL };
	long loaded = 0;
	u64 entry;

	srandom(seed);
	for (long i = 0; i < rounds; i++) {
		int hits = 1 + random() % 4;

		renew();
		while (hits--) {
			size_t at = random() % (sizeof(*h) + h->e_phnum % 16 * 56);
			u64 value = nasty[random() % (sizeof(nasty) / sizeof(*nasty))];

			switch (random() % 4) {
			case 0:
				file[at] ^= 1 << random() % 8;
				break;
			case 1:
				file[at] = random();
				break;
			case 2:
				memcpy(file + (at & ~7UL), &value, 8);
				break;
			case 3:
				size = random() % (good_size + 1);
				break;
			}
		}
		loaded += !load(&entry);
	}
	printf("%ld damaged files, %ld of them still loaded\n", rounds, loaded);
}

int main(int argc, char **argv)
{
	FILE *f = argc == 4 ? fopen(argv[1], "rb") : NULL;

	if (!f || !memory_map(&mem, MEMORY)) {
		fprintf(stderr, "usage: try GUEST SEED ROUNDS\n");
		return 2;
	}
	good_size = fread(good, 1, sizeof(good), f);
	fclose(f);
	renew();
	want(NULL, "nothing changed");
	header_lies();
	segment_lies();
	not_files();
	random_damage(strtoul(argv[2], NULL, 0), strtol(argv[3], NULL, 0));
	printf("%d files tried, %d wrong\n", tries, wrong);
	return !!wrong;
}
