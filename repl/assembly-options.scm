;; Options for whatever assembles a source: asm, run and debug.

(module repl/assembly-options)
(use scheme-lib/util)
(use asm/settings)
(use repl/options)

(define assembly-options
  '(("-D" text "NAME[=VALUE]" "what sources find defined: an integer (1 unless given) or a string")
    ("-I" text "DIR" "a folder where .include and .incbin look; may be given several times")
    ("--warnings-as-errors" #f "" "a warning ends the assembly as an error does")))

;; They hold until the process ends, so that `load` at the prompt follows them as well.
(define (use-assembly-options! options)
  (asm-include-path (option-values options "-I"))
  (asm-definitions (map definition (option-values options "-D")))
  (asm-warnings-as-errors (option-value options "--warnings-as-errors")))

(define (definition word)
  (or (definition-of-word word)
      (usage-error "-D takes NAME or NAME=VALUE, not `" word "`")))
