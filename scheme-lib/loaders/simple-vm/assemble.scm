;; The Simple VM's assembly language.
;;
;;   .data                            the read-only data
;;   hello: .asciiz 'Hello'           a text and a zero; it may go over several lines
;;   count: .integer #500             four bytes, little-endian
;;   .code                            ; a comment
;;   start: load $0 #70000            a number beyond 16 bits takes two instructions, load and lui
;;          prts @hello
;;          jmpe @start               to a label; jmpe $1 to the address in a register
;;          hlt
;;
;; A program has both sections, in either order. Labels of code are addresses, those of data offsets.

(module scheme-lib/loaders/simple-vm/assemble)
(use scheme-lib/util)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/simple-vm/instructions)
(use scheme-lib/loaders/simple-vm/program)

;; ---- words -------------------------------------------------------------------------------------------

;; kind: register, number, text, label (name:), use (@name), directive (.name), name, end (of a line)
(define-type word kind value line column)

(define (name-char? c) (or (char-alphabetic? c) (char-numeric? c) (memv c '(#\_ #\-))))

;; The words of a text, in order; each line ends with one of kind end.
(define (words-of text path)
  (define length (string-length text))
  (define (at i) (if (< i length) (string-ref text i) #\newline))
  (define (while i good?) (if (and (< i length) (good? (at i))) (while (+ i 1) good?) i))
  (let loop ((i 0) (line 1) (start 0) (words '()))
    (define column (+ 1 (- i start)))
    (define (fail . parts) (apply fail-at path line column parts))
    (define (word kind value next) (loop next line start (cons (make-word kind value line column) words)))
    ;; A name behind the character at i.
    (define (named kind what)
      (let ((end (while (+ i 1) name-char?)))
        (if (= end (+ i 1)) (fail "a " what " needs a name behind it"))
        (word kind (substring text (+ i 1) end) end)))
    (if (> i length)
        (reverse words)
        (let ((c (at i)))
          (cond ((char=? c #\newline)
                 (loop (+ i 1) (+ line 1) (+ i 1) (cons (make-word 'end #f line column) words)))
                ((or (char-whitespace? c) (char=? c #\,)) (loop (+ i 1) line start words))
                ((char=? c #\;) (loop (while i (lambda (c) (not (char=? c #\newline)))) line start words))
                ((char=? c #\@) (named 'use "`@`"))
                ((char=? c #\.) (named 'directive "`.`"))
                ((char=? c #\$)
                 (let* ((end (while (+ i 1) name-char?)) (number (string->number (substring text (+ i 1) end) 10)))
                   (if (not (and (integer? number) (exact? number) (<= 0 number 31)))
                       (fail "there is no register " (substring text i end) "; they are $0 to $31"))
                   (word 'register number end)))
                ((char=? c #\#)
                 (let* ((end (while (+ i 1) (lambda (c) (or (char-numeric? c) (memv c '(#\- #\.))))))
                        (number (string->number (substring text (+ i 1) end) 10)))
                   (if (not (real? number)) (fail "behind `#` stands a number, such as #100 or #-1"))
                   (word 'number number end)))
                ((char=? c #\')
                 (let* ((end (while (+ i 1) (lambda (c) (not (char=? c #\')))))
                        (value (substring text (+ i 1) end))
                        (lines (fold (lambda (c n) (if (char=? c #\newline) (+ n 1) n)) 0 (string->list value)))
                        (last (string-index-right value #\newline)))
                   (if (= end length) (fail "this text has no end: a `'` is missing"))
                   (loop (+ end 1) (+ line lines) (if last (+ i 2 last) start)
                         (cons (make-word 'text value line column) words))))
                ((name-char? c)
                 (let ((end (while i name-char?)))
                   (if (char=? (at end) #\:)
                       (word 'label (substring text i end) (+ end 1))
                       (word 'name (substring text i end) end))))
                (else (fail "`" c "` begins nothing: expected a label, an instruction, a directive or an operand")))))))

;; ---- lines -------------------------------------------------------------------------------------------

;; What a line says: its label, the word that says what it is, and the operands; the first two may be #f.
(define-type statement label head operands)

(define (statements text path)
  (let loop ((words (words-of text path)) (line '()) (all '()))
    (cond ((null? words) (reverse all))
          ((not (eq? (word-kind (car words)) 'end)) (loop (cdr words) (cons (car words) line) all))
          ((null? line) (loop (cdr words) '() all))
          (else (loop (cdr words) '() (cons (line->statement (reverse line) path) all))))))

(define (line->statement words path)
  (let* ((label (and (eq? (word-kind (car words)) 'label) (car words))) (rest (if label (cdr words) words)))
    (if (and (pair? rest) (not (memq (word-kind (car rest)) '(name directive))))
        (fail-word path (car rest) "expected an instruction or a directive"))
    (make-statement label (and (pair? rest) (car rest)) (if (pair? rest) (cdr rest) '()))))

(define (fail-word path word . parts) (apply fail-at path (word-line word) (word-column word) parts))

(define (instruction-of statement path)
  (let* ((word (statement-head statement)) (name (word-value word)))
    (or (instruction-by-name name)
        (fail-word path word "`" name "` is not an instruction"
                   (did-you-mean (string-downcase name) (instruction-names))))))

;; What a statement with an instruction is made into: one, or two; each an instruction and its operands.
(define (expansion statement path)
  (let* ((instruction (instruction-of statement path))
         (operands (statement-operands statement))
         (kinds (instruction-operands instruction))
         (wide (and (eq? (instruction-name instruction) 'load) (= 2 (length operands)) (cadr operands))))
    (if (not (= (length operands) (length kinds)))
        (fail-word path (statement-head statement) "`" (word-value (statement-head statement)) "` takes "
                   (length kinds) (if (= 1 (length kinds)) " operand" " operands") ", not " (length operands)))
    (cond ((and wide (eq? (word-kind wide) 'number) (wide-number? (word-value wide)))
           (let ((number (bitwise-and (word-value wide) #xffffffff)))
             (define (half value) (list (car operands) (make-word 'number value (word-line wide) (word-column wide))))
             (list (cons instruction (half (quotient number 65536)))
                   (cons (instruction-by-name "lui") (half (modulo number 65536))))))
          ((and (eq? (instruction-name instruction) 'jmpe) (eq? (word-kind (car operands)) 'use))
           (list (cons (instruction-by-name "djmpe") operands)))
          (else (list (cons instruction operands))))))

;; Whether `load` cannot hold a number, but two instructions can.
(define (wide-number? number)
  (and (integer? number) (exact? number) (not (<= 0 number 65535)) (<= (- (expt 2 31)) number (- (expt 2 32) 1))))

;; ---- first pass: labels, and what data there are -----------------------------------------------------

(define-type assembly
  path
  data     ; lists of bytes, the last first
  size     ; of the data
  symbols  ; (name section . value), the last first; those of code count instructions from the first
  code     ; (word instruction . operands), the last first: the word is the one that names it
  count
  section  ; code, data, or #f
  seen)    ; sections

(define (add-statement! a statement)
  (let ((path (assembly-path a)) (label (statement-label statement)) (head (statement-head statement)))
    (if label (add-label! a label))
    (cond ((not head) #t)
          ((eq? (word-kind head) 'directive) (do-directive! a statement))
          ((not (eq? (assembly-section a) 'code)) (fail-word path head "an instruction stands behind .code"))
          (else
           (for-each (lambda (each)
                       (assembly-code-set! a (cons (cons head each) (assembly-code a)))
                       (assembly-count-set! a (+ 1 (assembly-count a))))
                     (expansion statement path))))))

(define (add-label! a label)
  (let ((name (word-value label)) (section (assembly-section a)))
    (if (not section) (fail-word (assembly-path a) label "a label stands in a section: .data or .code comes first"))
    (if (assoc name (assembly-symbols a)) (fail-word (assembly-path a) label "there is a label `" name "` already"))
    (assembly-symbols-set! a (cons (cons* name section (if (eq? section 'code) (assembly-count a) (assembly-size a)))
                                   (assembly-symbols a)))))

(define (do-directive! a statement)
  (let* ((head (statement-head statement)) (name (word-value head)) (operands (statement-operands statement)))
    (define (fail . parts) (apply fail-word (assembly-path a) head parts))
    (define (constant kind what ->bytes)
      (if (not (eq? (assembly-section a) 'data)) (fail "a constant stands behind .data"))
      (if (not (statement-label statement)) (fail "a constant needs a label, by which the program knows it"))
      (if (not (and (= 1 (length operands)) (eq? kind (word-kind (car operands))))) (fail "." name " takes " what))
      (let ((bytes (->bytes (word-value (car operands)))))
        (assembly-data-set! a (cons bytes (assembly-data a)))
        (assembly-size-set! a (+ (assembly-size a) (u8vector-length bytes)))))
    (case (string->symbol (string-downcase name))
      ((data code)
       (if (pair? operands) (fail "." name " takes nothing"))
       (let ((section (string->symbol (string-downcase name))))
         (assembly-section-set! a section)
         (assembly-seen-set! a (cons section (assembly-seen a)))))
      ((asciiz)
       (constant 'text "a text, such as 'Hello'" (lambda (text) (u8vector-append (string->utf8 text) (u8vector 0)))))
      ((integer)
       (constant 'number "a whole number, such as #500"
                 (lambda (number)
                   (if (not (and (integer? number) (exact? number) (<= (- (expt 2 31)) number (- (expt 2 32) 1))))
                       (fail "the number does not fit into 32 bits"))
                   (number->u8vector (bitwise-and number #xffffffff) 4))))
      (else (fail "there is no directive ." name (did-you-mean name '("data" "code" "asciiz" "integer")))))))

;; ---- second pass: bytes -------------------------------------------------------------------------------

;; The operand bytes of an instruction. symbols: of code, by address.
(define (operand-bytes kind operand symbols path)
  (let ((value (word-value operand)))
    (define (fail . parts) (apply fail-word path operand parts))
    (define (expected what) (fail "expected " what ", found " (word->text operand)))
    (define (number low high)
      (if (not (eq? (word-kind operand) 'number)) (expected "a number, such as #5"))
      (if (not (and (integer? value) (exact? value) (<= low value high)))
          (fail "the number " value " does not fit here: whole ones from " low " to " high " do"))
      value)
    (define (two value) (list (quotient value 256) (modulo value 256)))
    (define (symbol section)
      (let ((entry (assoc value symbols)))
        (cond ((not entry) (fail "there is no label `" value "`" (did-you-mean value (map car symbols))))
              ((and section (not (eq? section (cadr entry))))
               (fail "`" value "` is a label of ." (cadr entry) ", but this takes one of ." section))
              ((> (cddr entry) 65535) (fail "`" value "` is at " (cddr entry) ", beyond what 16 bits hold")))
        (two (cddr entry))))
    (case kind
      ((#\r #\f) (if (eq? (word-kind operand) 'register) (list value) (expected "a register, $0 to $31")))
      ((#\c) (list (number 0 255)))
      (else
       (if (eq? (word-kind operand) 'use)
           (symbol (case kind ((#\a) 'code) ((#\o) 'data) (else #f)))
           (two (number 0 65535)))))))

(define (word->text word)
  (case (word-kind word)
    ((register) (text "$" (word-value word)))
    ((number) (text "#" (word-value word)))
    ((use) (text "@" (word-value word)))
    ((text) (text "'" (word-value word) "'"))
    (else (text "`" (word-value word) "`"))))

(define (instruction-bytes each symbols path)
  (let ((bytes (append-map (lambda (kind operand) (operand-bytes kind operand symbols path))
                           (instruction-operands (car each))
                           (cdr each))))
    (list->u8vector (cons (instruction-opcode (car each)) (take-at-most (append bytes '(0 0 0)) 3)))))

;; ---- programs ----------------------------------------------------------------------------------------

(define-documented (assemble source path)
  "The program of a source."
  (let ((a (new-assembly path)))
    (for-each (lambda (statement) (add-statement! a statement)) (statements source path))
    (for-each (lambda (section)
                (if (not (memq section (assembly-seen a)))
                    (fail-at path 0 0 "there is no section ." section ": a program has .data and .code")))
              '(data code))
    (finish a)))

(define (new-assembly path) (make-assembly path '() 0 '() '() 0 #f '()))

(define (finish a)
  (let* ((path (assembly-path a))
         (entry (+ header-length (assembly-size a)))
         (symbols (map (lambda (symbol)
                         (if (eq? (cadr symbol) 'code)
                             (cons* (car symbol) 'code (+ entry (* 4 (cddr symbol))))
                             symbol))
                       (reverse (assembly-symbols a))))
         (code (reverse (assembly-code a))))
    (make-program (u8vector-concatenate (reverse (assembly-data a)))
                  (code-bytes code symbols path)
                  symbols
                  (map (lambda (each n)
                         (list (+ entry (* 4 n)) path (word-line (car each)) (word-column (car each))))
                       code
                       (iota (length code))))))

;; A loop, for a mistake far down leaves no deep recursion behind.
(define (code-bytes code symbols path)
  (let ((bytes (make-u8vector (* 4 (length code)))))
    (let loop ((code code) (at 0))
      (if (pair? code)
          (begin
            (subu8vector-move! (instruction-bytes (cdar code) symbols path) 0 4 bytes at)
            (loop (cdr code) (+ at 4)))))
    bytes))

(define-documented (assemble-line line symbols)
  "The bytes of a line with an instruction, which may use labels that are known."
  (let ((a (new-assembly "line")))
    (assembly-section-set! a 'code)
    (for-each (lambda (statement)
                (if (statement-label statement)
                    (fail-word "line" (statement-label statement)
                               "a line has no label here: a file may, see !load_file"))
                (add-statement! a statement))
              (statements line "line"))
    (code-bytes (reverse (assembly-code a)) symbols "line")))

;; Whether a text has a line that says .code; no other language here has that.
(define (simple-vm-source? bytes path)
  (and (not (u8vector-index bytes 0))
       (let ((length (u8vector-length bytes)))
         (let loop ((at 0))
           (let ((newline (or (u8vector-index bytes 10 at) length)))
             (or (code-line? bytes at newline)
                 (and (< newline length) (loop (+ newline 1)))))))))

(define (code-line? bytes start end)
  (and (< (- end start) 1000)
       (let* ((line (list->string (map integer->char (u8vector->list (subu8vector bytes start end)))))
              (comment (string-index line #\;)))
         (string-ci=? ".code" (string-trim (if comment (substring line 0 comment) line))))))
