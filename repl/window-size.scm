;; How large the terminal is at standard output, which Gambit does not tell.

(module repl/window-size compiled-only)

(c-declare #<<end-of-c
#include <sys/ioctl.h>
#include <unistd.h>
end-of-c
)

;; Rows times 65536, and columns; 0 where it is no terminal.
(define window-size
  (c-lambda () int
    "struct winsize size;
     ___return(ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row << 16 | size.ws_col : 0);"))
