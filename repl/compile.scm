;; Translates one library to C, for build.mk, and says what is wrong with it: gsc's own command line loses
;; the message where there is no terminal.
;;
;;   SOURCE=build/scheme/c/asm.isa.scm OUTPUT=build/scheme/c/asm.isa.c gsc -:dar1-,f8 -i repl/compile.scm

(define (finish status)
  (force-output (current-output-port))
  (exit status))

(with-exception-catcher
 (lambda (exception)
   (display-exception exception (current-output-port))
   (finish 1))
 (lambda ()
   (finish (if (compile-file-to-target (getenv "SOURCE") output: (getenv "OUTPUT")) 0 1))))
