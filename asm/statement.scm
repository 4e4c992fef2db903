;; A source after reading: statements, and the operands that text can hold. Statements are kept from pass
;; to pass, with what a pass must know of the one before.
(module asm/statement)
(use scheme-lib/util)
(use asm/diagnostic)
(use asm/expression)
(declare (standard-bindings) (extended-bindings) (block))

(define-type source
  file         ; the one that was named; others may be included
  statements   ; a vector
  diagnostics  ; what could not be read, in order
  registers    ; symbols such as r1000 that Scheme forms mention
  assigned     ; symbols that Scheme forms define or assign
  miscounted)  ; of (list mnemonic …) with more or fewer operands than it takes, the first: (file line column mnemonic)

(define-type source-file
  name         ; as errors show it; the same object stands in the positions of its Scheme forms
  bytes        ; its text in UTF-8; #f where there is none
  includers)   ; lists of file, line and column: where it is included, the nearest first

(define (source-name source)
  (source-file-name (source-file source)))

;; The text of a line, or #f. Lines are looked for when an error shows one, which is seldom.
(define (source-file-line file n)
  (let ((bytes (source-file-bytes file)))
    (and bytes
         (let loop ((start 0) (line 1))
           (let ((end (line-end bytes start)))
             (cond ((= line n) (utf8->string (subu8vector bytes start end)))
                   ((another-line? bytes end) (loop (+ end 1) (+ line 1)))
                   (else #f)))))))

;; A vector of all lines; an empty text is an empty line.
(define (source-file-lines file)
  (let ((bytes (source-file-bytes file)))
    (let loop ((start 0) (lines '()))
      (let* ((end (line-end bytes start))
             (lines (cons (utf8->string (subu8vector bytes start end)) lines)))
        (if (another-line? bytes end)
            (loop (+ end 1) lines)
            (list->vector (reverse lines)))))))

(define (source-file-line-count file)
  (let ((bytes (source-file-bytes file)))
    (let loop ((start 0) (count 1))
      (let ((end (line-end bytes start)))
        (if (another-line? bytes end) (loop (+ end 1) (+ count 1)) count)))))

;; The last line may have no newline.
(define (line-end bytes start)
  (let ((size (u8vector-length bytes)))
    (let loop ((i start))
      (if (or (fx= i size) (fx= 10 (u8vector-ref bytes i))) i (loop (fx+ i 1))))))

(define (another-line? bytes end)
  (< (+ end 1) (u8vector-length bytes)))

;; Notes that say which lines include it, the nearest first.
(define (source-file-chain file)
  (map (lambda (place) (string-append "included from " (apply place->text place)))
       (source-file-includers file)))

;; kind         head          operands
;; run          u8vector      the bytes of instructions that are the same wherever they stand: see asm/runs
;; fixed        entry         the bytes of one of them
;; instruction  entry         a vector: fields that are known, and operands that are not
;; unknown      mnemonic      pairs of an operand and its column, or the problem with them: an error, unless
;;                            define-instruction made it an instruction
;; directive    its name      a list of operands
;; form         -             a form
;; label        a symbol      -
;; value        -             what Scheme gave
;; actions      -             a list of procedures that get the assembly: what the linker does once more
;; block        its name      what asm/blocks makes of .if … .endif, .rept … .endr
(define-type statement
  kind file line column head operands
  sizes     ; bytes that each item took in the pass before; a list, or '()
  section   ; where the statement stood in the pass before, or #f
  offset)

;; ---- operands ----------------------------------------------------------------------------------------

;; Integers stand for themselves, character literals too.

(define-type register letter number)        ; letter: r, or t for a thread register
(define-type real value written)            ; value: exact, or a flonum where that says more (-0.0)
(define-type text-literal bytes)            ; a string, escapes undone
(define-type name symbol line column)       ; a variable of the source, a label, a host call
(define-type form datum line column)        ; Scheme; datum is a Gambit source object
(define-type target address)                ; a number where a field is relative to the instruction

(define (register->text register)
  (text (register-letter register) (register-number register)))

(define (text-literal->string literal)
  (utf8->string (text-literal-bytes literal)))

;; An operand in words, for messages.
(define (operand->text operand)
  (cond ((register? operand)
         (text (if (char=? (register-letter operand) #\t) "the thread register " "the register ")
               (register->text operand)))
        ((real? operand) (text "the real number " (real-written operand)))
        ((text-literal? operand) (text "the string " (shortened (written (text-literal->string operand)))))
        ((name? operand) (text "the name `" (name-symbol operand) "`"))
        ((form? operand) "a Scheme form")
        ((expression? operand) (text "the address " (expression->text operand)))
        ((number? operand) (text "the number " operand))
        ((string? operand) (text "the string " (shortened (written operand))))
        ((symbol? operand) (text "the symbol " operand))
        ((procedure? operand) "a procedure")
        (else (shortened (written operand)))))

(define (shortened string)
  (if (> (string-length string) 60) (string-append (substring string 0 60) " …") string))
