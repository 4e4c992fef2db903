/* start.c: main of comet-vm. Starts Gambit with the linked libraries and UTF-8 everywhere (Gambit's own
 * default is one byte a character), and without its line editor (t8E), for programs read the terminal
 * themselves and the prompt has an editor of its own. The options are put before the user's arguments, of
 * which Gambit then takes none for itself, not even one that begins with `-:`.
 *
 * Scheme may have half of the memory that the host or its limit (ulimit -v) allows, at most 2 GiB: code that
 * calls itself without an end, in a source or at the prompt, ends with an error, and does not take the host
 * down with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gambit.h"

___BEGIN_C_LINKAGE
___mod_or_lnk COMET_LINKER(___global_state);
int ___main_char(int argc, char* argv[], ___mod_or_lnk (*linker)(___global_state), char* script_line);
___END_C_LINKAGE

static unsigned long heap_kibibytes(void) {
  unsigned long most = 2ul << 20;
  long pages = sysconf(_SC_PHYS_PAGES), page_size = sysconf(_SC_PAGESIZE);
  struct rlimit limit;
  if (pages > 0 && page_size > 0) {
    unsigned long half = (unsigned long)pages / 2 * ((unsigned long)page_size / 1024);
    if (half < most) most = half;
  }
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur / 2048 < most)
    most = (unsigned long)(limit.rlim_cur / 2048);
  return most;
}

/* d-: prompts go to standard output; f, t, -: encoding of files, terminals, standard streams; m, h: KiB of heap, at
 * least and at most. Without the least, Gambit collects nothing before it has allocated some 180 MB. */
static char options[64];

int main(int argc, char* argv[]) {
  char** arguments = malloc(((size_t)argc + 2) * sizeof *arguments);
  if (arguments == NULL || argc < 1) return EXIT_FAILURE;
  snprintf(options, sizeof options, "-:d-,f8,t8E,-8,m32768,h%lu", heap_kibibytes());
  arguments[0] = argv[0];
  arguments[1] = options;
  for (int i = 1; i <= argc; i++) arguments[i + 1] = argv[i];
  return ___main_char(argc + 1, arguments, COMET_LINKER, NULL);
}
