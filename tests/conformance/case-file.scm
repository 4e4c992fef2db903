;;; case-file.scm: reads the instruction table and writes the case file.
;;;
;;; The case file is lines of words; numbers are hexadecimal, with a minus sign where they are negative.
;;;
;;;   i OPCODE NAME OPERANDS                an instruction of the table
;;;   g ADDRESS PROTECTION                  a page, protection of the letters r w x, or - for none
;;;   v NAME VALUE... RESULT                the values of the fields that are read (for an immediate, the
;;;                                         immediate), and what the destination gets, or !TRAP
;;;   s NAME FIELD... BEFORE... > AFTER...  a scenario: one word for each field, and the state before and
;;;                                         after as far as it differs from the usual one
;;;
;;; BEFORE: rN=V a register, tN=V a thread register, mADDRESS=BYTES memory, call=BASE one call made.
;;; AFTER: the same, and pc=V, window=V, depth=N, halt, !TRAP or !TRAP@V. A value V is a number, `next` (the
;;; address behind the instruction) or pc+NUMBER. Register and thread register numbers are hexadecimal.
;;; What is not named after `>` must be as it was, pc excepted, which goes to the next instruction.

(define (hexadecimal n)
  (if (< n 0)
      (string-append "-" (number->string (- n) 16))
      (number->string n 16)))

(define (word->text x)
  (cond ((string? x) x)
        ((boolean? x) (if x "1" "0"))
        ((symbol? x) (string-append "!" (symbol->string x)))
        (else (hexadecimal x))))

(define (write-line . words)
  (let loop ((words words) (separator ""))
    (if (pair? words)
        (begin
          (display separator)
          (display (word->text (car words)))
          (loop (cdr words) " "))))
  (newline))

(define (write-value-case name values result)
  (apply write-line "v" (symbol->string name) (append values (list result))))

(define (write-scenario name fields before after)
  (apply write-line "s" (symbol->string name) (append fields before (list ">") after)))

;; ---- parts of scenarios ---------------------------------------------------------------------------

(define (register n value) (string-append "r" (hexadecimal n) "=" (word->text value)))
(define (thread-register n value) (string-append "t" (hexadecimal n) "=" (word->text value)))
(define (program-counter value) (string-append "pc=" (word->text value)))
(define (relative offset) (string-append "pc+" (hexadecimal (modulo offset (expt 2 64)))))
(define (trap kind #!optional (address #f))
  (string-append "!" (symbol->string kind) (if address (string-append "@" (word->text address)) "")))

(define (byte->text byte)
  (string-append (if (< byte 16) "0" "") (number->string byte 16)))

;; Words for bytes at ascending addresses, one for each run.
(define (memory bytes)
  (let loop ((bytes bytes) (next #f) (text "") (words '()))
    (define (done) (if next (cons text words) words))
    (cond ((null? bytes) (reverse (done)))
          ((and next (= (caar bytes) next))
           (loop (cdr bytes) (+ next 1) (string-append text (byte->text (cdar bytes))) words))
          (else
           (loop (cdr bytes) (+ 1 (caar bytes))
                 (string-append "m" (hexadecimal (caar bytes)) "=" (byte->text (cdar bytes)))
                 (done))))))

;; ---- the instruction table ------------------------------------------------------------------------

;; The text between two characters, and the rest behind the second one.
(define (string-position text character from)
  (let loop ((n from))
    (cond ((= n (string-length text)) #f)
          ((char=? (string-ref text n) character) n)
          (else (loop (+ n 1))))))

(define (strip text)
  (list->string
   (let loop ((characters (string->list text)))
     (cond ((null? characters) '())
           ((memv (car characters) '(#\space #\")) (loop (cdr characters)))
           (else (cons (car characters) (loop (cdr characters))))))))

;; A list of (opcode name operands group), operands a list of characters.
(define (read-instruction-table file)
  (define (parse line)
    (let* ((open (string-position line #\( 0))
           (a (string-position line #\, open))
           (b (string-position line #\, (+ a 1)))
           (c (string-position line #\, (+ b 1)))
           (d (string-position line #\, (+ c 1))))
      (list (string->number (strip (substring line (+ open 1) a)))
            (string->symbol (strip (substring line (+ a 1) b)))
            (string->list (strip (substring line (+ b 1) c)))
            (string->symbol (strip (substring line (+ c 1) d))))))
  (define (instruction? line)
    (and (>= (string-length line) 12) (string=? (substring line 0 12) "INSTRUCTION(")))
  (call-with-input-file file
    (lambda (port)
      (let loop ((instructions '()))
        (let ((line (read-line port)))
          (cond ((eof-object? line) (reverse instructions))
                ((instruction? line) (loop (cons (parse line) instructions)))
                (else (loop instructions))))))))

(define instruction-opcode car)
(define instruction-name cadr)
(define instruction-operands caddr)
(define instruction-group cadddr)
