;; What the tests of the assembler share.
(use scheme-lib/util)
(use asm/assembler)

(define (lines . strings)
  (apply string-append (map (lambda (string) (string-append string "\n")) strings)))

;; The stored bytes of every section, each as hexadecimal digits behind its name and address.
(define (layout source)
  (map (lambda (section)
         (list (program-section-name section)
               (program-section-address section)
               (u8vector->hex (program-section-bytes section))))
       (program-sections (asm-string source))))

;; The bytes of the first section.
(define (code source)
  (u8vector->hex (program-section-bytes (car (program-sections (asm-string source))))))

(define (symbols source)
  (program-symbols (asm-string source)))

;; The errors of a source as one text, which begins with the place.
(define (errors-of thunk)
  (with-exception-catcher
   (lambda (exception)
     (if (asm-error? exception)
         (asm-error->text exception)
         (string-append "not an asm-error: " (exception->text exception))))
   (lambda () (thunk) "no error")))

(define (errors source)
  (errors-of (lambda () (asm-string source name: "t.s"))))

;; The errors as lines "LINE:COLUMN message", notes and source lines left out.
(define (messages source)
  (with-exception-catcher
   (lambda (exception)
     (if (asm-error? exception)
         (map (lambda (diagnostic)
                (text (asm-diagnostic-line diagnostic) ":" (asm-diagnostic-column diagnostic) " "
                      (asm-diagnostic-message diagnostic)))
              (asm-error-diagnostics exception))
         (list (string-append "not an asm-error: " (exception->text exception)))))
   (lambda () (asm-string source name: "t.s") '())))

(define (notes source)
  (with-exception-catcher
   (lambda (exception)
     (append-map asm-diagnostic-notes (asm-error-diagnostics exception)))
   (lambda () (asm-string source name: "t.s") '())))

;; Bytes as they are written beside a source: blanks are for the eye.
(define (bytes . parts)
  (list->string (filter (lambda (c) (not (char=? c #\space))) (string->list (apply string-append parts)))))
