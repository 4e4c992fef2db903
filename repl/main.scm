;; Where comet-vm begins. To begin the same from a checkout, without compiling anything:
;;
;;   gsi scheme-lib/boot.scm -e '(use repl/cli)' -e '(cli-main (list "repl"))'

(module repl/main)
(use repl/cli)

(cli-main (cdr (command-line)))
