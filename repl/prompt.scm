;; The prompt: it says where the program is, and how deep one is in Scheme errors.
;;
;;   comet>  comet[sieve.s: main+0x10]>  comet[sieve.s: halted 0] 1>

(module repl/prompt)
(use scheme-lib/util)
(use debugger/run)
(use debugger/line-mode)

;; level: of nested REPLs, 0 the outermost; depth: of the selected frame of the continuation, see ,+ and ,-
(define (prompt-text level depth)
  (let ((state (program-state)))
    (if (line-mode)
        (text (line-mode-name (line-mode)) "> ")
        (text "comet"
              (if (string=? state "") "" (text "[" state "]"))
              (if (> level 0) (text " " level) "")
              (if (> depth 0) (text "\\" depth) "")
              "> "))))

(define continuation-prompt "  ... ")
