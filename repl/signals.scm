;; What Gambit does not reach: signals other than Ctrl-C.

(module repl/signals compiled-only)

(c-declare #<<end-of-c
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Ends the process when nobody reads its output any more; 141 is what a shell makes of the signal. When it is
   another pipe or socket, such as a tool that ended before it read all, whoever writes to it gets the error. */
static void on_closed_output(int number) {
  struct pollfd outputs[] = {{STDOUT_FILENO, 0, 0}, {STDERR_FILENO, 0, 0}};
  (void)number;
  if (poll(outputs, 2, 0) > 0 && ((outputs[0].revents | outputs[1].revents) & POLLERR)) _exit(141);
}

/* How the terminal was before a screen stood on it, and what takes that away. */
static struct termios terminal_before;
static char leave_screen[64];

static void on_end(int number) {
  if (write(STDOUT_FILENO, leave_screen, strlen(leave_screen)) >= 0)
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
  signal(number, SIG_DFL);
  raise(number);
}
end-of-c
)

;; Gambit ignores SIGPIPE, and a program that does not look at what `write` gives would go on for ever.
(define exit-when-output-closes!
  (c-lambda () void "signal(SIGPIPE, on_closed_output);"))

;; From now on, SIGTERM and SIGHUP first bring the terminal back to how it is now, writing `sequences`.
(define restore-terminal-on-signals!
  (c-lambda (char-string) void
    "strncpy(leave_screen, ___arg1, sizeof leave_screen - 1);
     tcgetattr(STDIN_FILENO, &terminal_before);
     signal(SIGTERM, on_end);
     signal(SIGHUP, on_end);"))

(define leave-signals!
  (c-lambda () void "signal(SIGTERM, SIG_DFL); signal(SIGHUP, SIG_DFL);"))
