/* start.c: main of comet-vm. Starts Gambit with the linked libraries and UTF-8 everywhere (Gambit's own
 * default is one byte a character), and without its line editor (t8E), for programs read the terminal
 * themselves and the prompt has an editor of its own. The options are put before the user's arguments, of
 * which Gambit then takes none for itself, not even one that begins with `-:`.
 */
#include <stdlib.h>

#include "gambit.h"

___BEGIN_C_LINKAGE
___mod_or_lnk COMET_LINKER(___global_state);
int ___main_char(int argc, char* argv[], ___mod_or_lnk (*linker)(___global_state), char* script_line);
___END_C_LINKAGE

/* d-: prompts go to standard output; f, t, -: encoding of files, terminals, standard streams. */
static char options[] = "-:d-,f8,t8E,-8";

int main(int argc, char* argv[]) {
  char** arguments = malloc(((size_t)argc + 2) * sizeof *arguments);
  if (arguments == NULL || argc < 1) return EXIT_FAILURE;
  arguments[0] = argv[0];
  arguments[1] = options;
  for (int i = 1; i <= argc; i++) arguments[i + 1] = argv[i];
  return ___main_char(argc + 1, arguments, COMET_LINKER, NULL);
}
