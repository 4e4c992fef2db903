# Tests of the prompt through a real terminal: keys are typed into tmux, and the screen is looked at until it
# shows what it should, for at most 15 seconds. Part of run.sh.

screen() { tmux -L "$SERVER" capture-pane -p -J -t test 2>/dev/null; }
key() { tmux -L "$SERVER" send-keys -t test "$@"; }
line() { tmux -L "$SERVER" send-keys -t test -l -- "$1"; key Enter; }
typed() { tmux -L "$SERVER" send-keys -t test -l -- "$1"; }

# open COMMAND: a terminal in which it runs, and then its exit status is shown
open() {
  tmux -L "$SERVER" kill-server 2>/dev/null
  # A server of that name may still be about to end.
  SERVER=$SERVER+
  tmux -L "$SERVER" -f /dev/null new-session -d -s test -x 100 -y 40 \
    "env TERM=screen COMET_HISTORY=$WORK/history bash --norc -c '$1; echo exit status \$?; sleep 60'"
}

# see NAME TEXT: the screen comes to show TEXT
see() {
  local tries=0
  while [ $tries -lt 150 ]; do
    if grep -qF -- "$2" <<<"$(screen)"; then ok "$1"; return 0; fi
    sleep 0.1
    tries=$((tries + 1))
  done
  not_ok "$1" "never shown: $2"$'\n'"$(screen | grep -v '^$')"
  return 1
}

# lacks NAME TEXT: the screen does not show TEXT
lacks() { if grep -qF -- "$2" <<<"$(screen)"; then not_ok "$1" "shown: $2"; else ok "$1"; fi; }

rm -f "$WORK/history"
open "$COMET"
see "the prompt" "comet> "
typed 'loa'; key Tab
see "Tab completes a command" "comet> load "
check "a key leaves no copy of the line above the screen" 1 \
  "$(tmux -L "$SERVER" capture-pane -p -S -100 -t test | grep -c 'comet> ')"
typed '"tests/repl/programs/endl'; key Tab
see "Tab completes a file within a string" 'load "tests/repl/programs/endless.s"'
key Enter
see "the prompt shows the state" "comet[endless.s: _start]> "
typed 'break aga'; key Tab
see "Tab completes a symbol of the program" "break again "
key C-c
see "Ctrl-C cancels a line" "comet[endless.s: _start]> break again"
line 'run'
sleep 0.5
key C-c
see "Ctrl-C stops a program at once" "interrupted at again"
line 'continue'
sleep 0.3
key C-c
sleep 0.3
line 'set pc again'
line 'step'
see "a step after Ctrl-C" "comet[endless.s: again+0x4]>"
key Enter
see "an empty line steps again" "comet[endless.s: again]>"
line '(+ 40'
see "an unfinished form goes on" "  ... "
line '2)'
see "and gives its value" "42"
line '(display "unfinished")'
see "a line that was left unfinished stays" "unfinished"
line '(car 5)'
see "an error of Scheme opens a level" "comet[endless.s: again] 1> "
line '(define within 40)'
line '(+ within 3)'
see "where definitions work" "43"
lacks "and give no warning" "WARNING"
line ',b'
see "where Gambit's commands work" "(car 5)"
key C-d
line 'nonsense'
see "an error of a command is one line" "error: \`nonsense\`"
see "and opens no level" "comet[endless.s: again]> "
typed "'日本語"; key Left Left; typed 'X'; key Enter
see "the cursor among characters of two columns" "日X本語"
line '(define grüße "schön")'
line 'grüße'
see "text beyond ASCII" '"schön"'
line 'quit 5'
see "quit leaves with its status" "exit status 5"

open "$COMET"
see "another session" "comet> "
key Up Up Up
see "has the history of the one before" '(define grüße "schön")'
key C-c
key C-r
typed 'programs/end'
see "and finds lines in it" 'load "tests/repl/programs/endless.s"'
key C-c
key C-d
see "Ctrl-D leaves with 0" "exit status 0"

open "$COMET run --core $WORK/terminal.core --record $WORK/terminal.replay tests/repl/programs/trap.s"
see "a trap at a terminal opens the debugger" "trap at divide+0x3"
see "at the fault" "comet[trap.s: divide+0x3]> "
line 'reverse-step'
see "with the past there" "comet[trap.s: divide, at 2 of 3]> "
line 'goto end'
see "and the present" "comet[trap.s: divide+0x3]> "
line 'set r2 7'
line 'continue'
see "from where the program goes on" "comet[trap.s: halted 0]> "
line 'quit'
see "and quit leaves" "exit status 0"

open "$COMET debug --core $WORK/terminal.core"
see "its core was written" "comet[terminal.core: divide+0x3]> "
line 'set r2 7'
line 'continue'
see "and goes on as well" "comet[terminal.core: halted 0]> "
line 'quit'

open "$COMET debug --replay $WORK/terminal.replay"
see "its recording was, too" "comet[terminal.replay: divide+0x3]> "
line 'reverse-step'
see "which has the same past" "comet[terminal.replay: divide, at 2 of 3]> "
line 'quit'

open "$COMET run tests/repl/programs/echo.s"
see "a program asks at a terminal" "name? "
typed 'Adan'; key BSpace; key Enter
see "and reads a line that was edited" "Ada"
key C-d
see "and the end of input" "exit status 0"

open "$COMET debug tests/repl/programs/echo.s"
see "debug stands at the first instruction" "comet[echo.s: _start]> "
line 'continue'
see "a program under the debugger asks" "name? "
line 'Grace'
key C-c
see "Ctrl-C while it waits for input stops it" "interrupted at _start"
line 'continue'
sleep 0.3
line 'Ada'
sleep 0.3
key C-d
see "and it goes on waiting" "halted with exit status 0"
key C-d
see "the end" "exit status 0"

open "$COMET"
see "a prompt for the Simple VM" "comet> "
line 'simple-vm'
typed '!prog'; key Tab
see "Tab completes the commands of its interactive mode" "simple-vm> !program "
key Enter
typed '!load_file examples/sieve.i'; key Tab
see "and the files of those" "simple-vm> !load_file examples/sieve.iasm "
key Enter
see "which run" "83 89 97"
line '!quit'
see "back at the prompt" "comet[sieve.iasm: "

open "$COMET tests/repl/programs/endless.s"
see "a program with a long past" "comet[endless.s: _start]> "
line 'continue 30000000'
see "stands at its present" "comet[endless.s: again+0x4]> "
line 'when (= (target-peek _start) 1)'
sleep 0.7
key C-c
see "Ctrl-C ends a question" "while looking at the past"
see "behind which the program stands where it stood" "comet[endless.s: again+0x4]> "
line 'break again if (= (target-peek _start) 1)'
line 'reverse-continue'
sleep 0.7
key C-c
sleep 0.3
line 'clear-screen-of (old)'
see "Ctrl-C ends a search for a breakpoint" "comet[endless.s: again+0x4]> clear-screen-of"
line 'count'
see "in the same way" "30,000,000 instructions"
line 'condition 1 (let loop () (loop))'
line 'reverse-continue'
sleep 0.7
key C-c
sleep 0.3
line 'print (let loop () (loop))'
sleep 0.5
key C-c
see "as in any command" "error: interrupted"
line '(display "still the prompt")'
see "and a condition without an end" "still the prompt"
lacks "without a prompt within" " 1> "

echo '(use scheme-lib/state)
(load-program! "tests/repl/programs/endless.s")
(machine-record-to! (the-machine) "'"$WORK"'/long" image: (loaded-image (the-program)))
(continue-program! 1000)
(machine-record-end! (the-machine) (make-stop (the-machine) 0 (vector 1 0 (target-pc) 0 (expt 2 60) 0 0 0 0 0 "" #f) 0))' |
  timeout 20 "$COMET" >"$WORK/out" 2>&1
open "$COMET debug --replay $WORK/long"
see "a recording that says that it is long is believed" "the recording goes to 1,152,921,504,606,846,976 instructions, which takes some"
see "and how long that takes is told" "; Ctrl-C stops on the way"
key C-c
see "Ctrl-C stops it" "the recording goes on to 1,152,921,504,606,846,976 instructions; "
see "where it is" "interrupted at again"
line 'reverse-step'
see "with all of the past" ", at "
