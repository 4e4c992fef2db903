;; What went wrong, and where. Inside the assembler a mistake of the source is a `problem`, raised where it
;; is seen and often without a place; the statement that is being assembled supplies that, and makes a
;; diagnostic of it. A run that found any ends with an `asm-error`, which holds them all.
;;
;;   (fail "the stack size is " n ", but must be even")
;;   (asm-error-display error (current-error-port))
(module asm/diagnostic)
(use scheme-lib/util)

(define-type asm-diagnostic
  constructor: construct-asm-diagnostic
  file      ; the name of the source
  line      ; from 1
  column    ; from 1; 0 is unknown
  message   ; one line
  notes     ; a list of lines: where else to look, what led here
  text      ; the source line, or #f
  severity) ; error, or warning

(define (make-asm-diagnostic file line column message notes text #!optional (severity 'error))
  (construct-asm-diagnostic file line column message
                            (append notes (if (eq? severity 'error) (comment-notes text column) '()))
                            text severity))

;; Other assemblers' comments are names here, and what is wrong with them seldom tells so. A note where one begins at or
;; before the column; LINE may be #f.
(define (comment-notes line column)
  (let ((end (if line (min column (- (string-length line) 1)) 0)))
    (let loop ((i 0) (begins? #t))
      (if (>= i end)
          '()
          (let ((c (string-ref line i)))
            (cond ((char=? c #\") (loop (string-end line i) #f))
                  ((char=? c #\;) '())
                  ((and begins? (char=? c #\/) (memv (string-ref line (+ i 1)) '(#\/ #\*)))
                   (list (text "a comment begins with ; and not with " (substring line i (+ i 2)))))
                  (else (loop (+ i 1) (memv c '(#\space #\tab #\,))))))))))

;; The index behind the string that begins at i.
(define (string-end line i)
  (let loop ((i (+ i 1)))
    (cond ((>= i (string-length line)) i)
          ((char=? (string-ref line i) #\\) (loop (+ i 2)))
          ((char=? (string-ref line i) #\") (+ i 1))
          (else (loop (+ i 1))))))

(define-type asm-error
  diagnostics)

;; A run stops collecting after so many.
(define asm-diagnostic-limit 20)

;; kind: #f, or why another problem may be the true one: `undefined` for a label that nothing defines,
;; `lost` for one that an earlier pass did define.
(define-type problem
  constructor: construct-problem
  message
  notes
  line      ; #f: the place of the statement
  column
  kind)

(define (make-problem message notes line column #!optional (kind #f))
  (construct-problem message notes line column kind))

(define (fail . parts)
  (raise (make-problem (apply text parts) '() #f #f)))

(define (fail-at line column . parts)
  (raise (make-problem (apply text parts) '() line column)))

(define (problem-add-notes problem notes)
  (make-problem (problem-message problem)
                (append (problem-notes problem) notes)
                (problem-line problem)
                (problem-column problem)
                (problem-kind problem)))

;; The same, in another place.
(define (problem-move problem line column)
  (make-problem (problem-message problem) (problem-notes problem) line column (problem-kind problem)))

(define (place->text file line column)
  (if (and column (> column 0))
      (text file ":" line ":" column)
      (if (> line 0) (text file ":" line) file)))

;; ---- for people --------------------------------------------------------------------------------------

;; hello.s:3:1: error: there is no instruction `ad` (did you mean `add`?)
;;     ad r1, r2, r3
;;     ^
;;   note: …
(define (asm-diagnostic-display diagnostic #!optional (port (current-error-port)))
  (define (line . parts)
    (display (apply text parts) port)
    (newline port))
  (line (place->text (asm-diagnostic-file diagnostic)
                     (asm-diagnostic-line diagnostic)
                     (asm-diagnostic-column diagnostic))
        ": " (asm-diagnostic-severity diagnostic) ": " (visible-lines (asm-diagnostic-message diagnostic)))
  (let ((source-line (asm-diagnostic-text diagnostic))
        (column (asm-diagnostic-column diagnostic)))
    (if (and source-line (not (blank-string? source-line)))
        (begin
          (line "    " source-line)
          (if (> column 0)
              (line "    " (blanks-like source-line (- column 1)) "^")))))
  (for-each (lambda (note) (line "  note: " note)) (asm-diagnostic-notes diagnostic)))

;; A message may have text of the source in it, or of an object that anybody made.
(define (visible-lines message)
  (string-join (map visible-text (string-split message #\newline)) "\n"))

;; As many blanks as characters, tabs kept, so that the caret stands under its character.
(define (blanks-like source-line count)
  (let ((count (min count (string-length source-line))))
    (string-map (lambda (c) (if (char=? c #\tab) #\tab #\space))
                (substring source-line 0 count))))

(define (asm-error-display error #!optional (port (current-error-port)))
  (let ((diagnostics (asm-error-diagnostics error)))
    (for-each (lambda (diagnostic) (asm-diagnostic-display diagnostic port)) diagnostics)
    (if (>= (length diagnostics) asm-diagnostic-limit)
        (display (text "The first " asm-diagnostic-limit " mistakes are shown; there may be more.\n") port))))

(define (asm-error->text error)
  (call-with-output-string "" (lambda (port) (asm-error-display error port))))

(exception-text! asm-error? (lambda (error) (string-trim (asm-error->text error))))
