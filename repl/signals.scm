;; What Gambit does not reach: signals other than Ctrl-C.

(module repl/signals compiled-only)

(c-declare #<<end-of-c
#include <signal.h>
#include <unistd.h>

/* Nobody reads what is written any more. 141 is what a shell makes of the signal. */
static void on_closed_output(int number) {
  (void)number;
  _exit(141);
}
end-of-c
)

;; Gambit ignores SIGPIPE, and a program that does not look at what `write` gives would go on for ever.
(define exit-when-output-closes!
  (c-lambda () void "signal(SIGPIPE, on_closed_output);"))
