;; An image as a source that assembles to the same bytes at the same addresses, with the same symbols, imports and
;; entry. Where code jumps stand labels: the image's symbols, else names such as L_00010020.
;;
;;   (asm-string (image->source (->image "hello.img")))
;;
;; Instructions in another encoding than the assembler's own, the shortest, are written as bytes, and so is what is
;; no instruction. So are jumps whose length is not the only one: if they and others were shorter, the distances
;; between them could agree with that, too.
(module asm/disassembly)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/view)
(use scheme-lib/view-text)
(use vm-ext/gambit/vm)
(use scheme-lib/leb128)
(use asm/number)
(use asm/isa)
(use asm/encode)
(use asm/define)
(use asm/statement)
(use asm/scanner)
(use asm/reader)
(declare (block))

(define execute-bit 4)

;; What stands at an offset of a code section. target: of a jump, an address, else #f.
(define-type piece
  address
  size
  entry      ; of the instruction table, or #f for bytes
  fields     ; as encoded
  target
  shrink)    ; by how much it might be shorter, if it is a jump

(define-documented (image->source image)
  "An image as assembly source, a string, which assembles to the same sections, symbols, imports and entry."
  (let* ((sections (image-sections image))
         (symbols (map (lambda (symbol) (cons (vector-ref symbol 0) (vector-ref symbol 1))) (image-symbols image)))
         (imports (image-imports image))
         (host-text (host-texts (list->vector imports) symbols))
         (section-at (image-section-finder image))
         (definitions (definitions-by-opcode image))
         (code (map (lambda (section) (section-pieces section image definitions)) sections))
         (labels (code-labels code symbols))
         (shrinks (table-of-shrinks code))
         (names (table-of-names symbols section-at)))
    (call-with-output-string ""
      (lambda (port)
        (define (line . parts) (display (apply text parts) port) (newline port))
        (for-each (lambda (row) (line "        " (row->form-text row))) (image-definitions image))
        (for-each (lambda (name) (line "        (begin (host " (quoted name) ") '())")) imports)
        (for-each (lambda (view) (write-view line (vector-ref view 0) (vector-ref view 1))) (image-views image))
        (line "        .entry  " (hex-address (image-entry image)))
        (for-each (lambda (symbol)
                    (if (not (section-at (cdr symbol)))
                        (write-symbol line (car symbol) (cdr symbol))))
                  symbols)
        (for-each
         (lambda (section pieces)
           (line "")
           (line "        .section " (quoted (vector-ref section 0)) ", "
                 (written (protection-letters (vector-ref section 4))) ", " (hex-address (vector-ref section 1)))
           (if (executable? section)
               (write-code line section pieces names labels host-text shrinks image)
               (write-data line section names))
           (if (last-in? (section-end section) section section-at)
               (write-names line names labels (section-end section) (+ 1 (section-end section)))))
         sections code)))))

;; A description that makes no sense is no more than a remark.
(define (write-view line name description)
  (let ((sensible? (with-exception-catcher
                    (lambda (exception) #f)
                    (lambda () (view-check (text->view description)) #t))))
    (line (if sensible? "        " "; ") "(view " (quoted name) " '" description ")")))

(define (executable? section)
  (not (= 0 (bitwise-and (vector-ref section 4) execute-bit))))

(define (protection-letters protection)
  (list->string
   (filter-map (lambda (bit letter) (and (not (= 0 (bitwise-and protection bit))) letter))
               '(1 2 4) '(#\r #\w #\x))))

(define (section-end section)
  (+ (vector-ref section 1) (vector-ref section 3)))

;; Whether names at a section's end are its own.
(define (last-in? end section section-at)
  (let ((owner (section-at end)))
    (and owner (= (vector-ref owner 1) (vector-ref section 1)) (> (vector-ref section 3) 0))))

;; ---- symbols -----------------------------------------------------------------------------------------

;; address -> the names there, in order
(define (table-of-names symbols section-at)
  (let ((names (make-table test: eqv?)))
    (for-each (lambda (symbol)
                (if (section-at (cdr symbol))
                    (table-set! names (cdr symbol)
                                (append (table-ref names (cdr symbol) '()) (list (car symbol))))))
              symbols)
    names))

;; Whether the name can be written as a label. Local names are none of a program's.
(define (label-name? name)
  (let ((n (string-length name)))
    (and (every (lambda (c) (name-char? c)) (string->list name))
         (not (char-numeric? (string-ref name 0)))
         (not (string-prefix? ".L" name))
         (not (string=? name "."))
         (not (register-symbol (string->symbol name))))))

(define (write-symbol line name value)
  (if (label-name? name)
      (line "        .equ    " name ", " (number-text value))
      (line "        (symbol! " (quoted name) " " value ")")))

;; ---- pieces of code ----------------------------------------------------------------------------------

;; A section's code, in order; () for data.
(define (section-pieces section image definitions)
  (if (executable? section)
      (let* ((bytes (vector-ref section 2))
             (end (u8vector-length bytes)))
        (let loop ((at 0) (pieces '()))
          (if (= at end)
              (reverse pieces)
              (let ((piece (decoded-piece bytes at end (+ at (vector-ref section 1)) image definitions)))
                (loop (+ at (piece-size piece)) (cons piece pieces))))))
      '()))

(define (decoded-piece bytes at end address image definitions)
  (let ((decoded (with-exception-catcher
                  (lambda (exception) #f)
                  (lambda () (vm-decode bytes at end image)))))
    (or (and decoded (instruction-piece bytes at decoded address definitions))
        (make-piece address
                    (if decoded (vector-ref decoded 2) (max 1 (car (vm-disassemble bytes address at end image))))
                    #f '() #f 0))))

;; Table: the opcode of an instruction that the image defines -> its entry.
(define (definitions-by-opcode image)
  (let ((entries (make-table test: eqv?)))
    (for-each (lambda (row) (table-set! entries (vector-ref row 1) (row->entry row))) (image-definitions image))
    entries))

;; #f where the assembler would not write it so.
(define (instruction-piece bytes at decoded address definitions)
  (let* ((fields (cdr (vector-ref decoded 3)))
         (size (vector-ref decoded 2))
         (opcode (car (vector-ref decoded 3)))
         (entry (or (isa-by-opcode opcode) (table-ref definitions opcode)))
         (index (and entry (string-index (isa-entry-kinds entry) #\p)))
         (relative (and index (list-ref fields index))))
    (and entry
         (equal? (constant-bytes entry fields) (subu8vector bytes at (+ at size)))
         (make-piece address size entry fields
                     (and relative (unsigned-64 (modulo (+ address (unzigzag relative)) (expt 2 64))))
                     (if relative (- (uleb128-length relative) 1) 0)))))

;; ---- labels ------------------------------------------------------------------------------------------

;; address -> a name, for every place where an instruction begins and something jumps to.
(define (code-labels code symbols)
  (let ((begins (make-table test: eqv?))
        (taken (make-table test: equal?))
        (labels (make-table test: eqv?)))
    (for-each (lambda (pieces) (for-each (lambda (piece) (table-set! begins (piece-address piece) #t)) pieces)) code)
    (for-each (lambda (symbol)
                (table-set! taken (car symbol) #t)
                (if (and (label-name? (car symbol)) (not (table-ref labels (cdr symbol) #f)))
                    (table-set! labels (cdr symbol) (car symbol))))
              symbols)
    (for-each
     (lambda (pieces)
       (for-each
        (lambda (piece)
          (let ((target (piece-target piece)))
            (if (and target (table-ref begins target #f) (not (table-ref labels target #f)))
                (table-set! labels target (free-name target taken)))))
        pieces))
     code)
    (for-each (lambda (label) (if (not (table-ref begins (car label) #f)) (table-set! labels (car label))))
              (table->list labels))
    labels))

(define (free-name address taken)
  (let loop ((name (text "L_" (hex address 8))))
    (if (table-ref taken name #f) (loop (string-append name "_")) name)))

;; Table: the address of a piece -> a pair of its section's pieces and by how much those before it may become
;; shorter.
(define (table-of-shrinks code)
  (let ((shrinks (make-table test: eqv?)))
    (for-each
     (lambda (section)
       (let loop ((pieces section) (sum 0))
         (if (pair? pieces)
             (begin
               (table-set! shrinks (piece-address (car pieces)) (cons section sum))
               (loop (cdr pieces) (+ sum (piece-shrink (car pieces))))))))
     code)
    shrinks))

;; Whether the jump takes as many bytes however short the others become. label: whether the target moves with its
;; code.
(define (settled? piece label shrinks)
  (let* ((address (piece-address piece))
         (target (piece-target piece))
         (distance (- target address))
         (own (table-ref shrinks address))
         (other (table-ref shrinks target #f))
         (from (cdr own)))
    (define (bytes distance)
      (uleb128-length (zigzag (signed-64 (unsigned-64 (modulo distance (expt 2 64)))))))
    (define (same? distance*) (= (bytes distance) (bytes distance*)))
    (cond ((not label) (same? (+ distance from)))
          ((and other (eq? (car own) (car other))) (same? (- distance (- (cdr other) from))))
          (else
           (and (same? (+ distance from))
                (same? (- distance (if other (cdr other) 0))))))))

;; ---- writing -----------------------------------------------------------------------------------------

;; As a string of the source's text, and of its Scheme.
(define (quoted string)
  (text "\""
        (string-replace (string-replace string "\\" "\\\\") "\"" "\\\"")
        "\""))

(define (number-text n)
  (if (< -10000 n 10000) (number->string n) (text (if (< n 0) "-0x" "0x") (hex (abs n) 1))))

(define (write-code line section pieces names labels host-text shrinks image)
  (let ((bytes (vector-ref section 2)) (base (vector-ref section 1)))
    (for-each
     (lambda (piece)
       (let ((address (piece-address piece)))
         (write-names line names labels address (+ address (piece-size piece)))
         (let ((operands (and (piece-entry piece)
                              (operand-texts piece labels host-text shrinks))))
           (if operands
               (line "        " (statement-text (isa-entry-name (piece-entry piece)) operands))
               (let ((start (- address base)))
                 (line "        .byte   " (bytes-text bytes start (+ start (piece-size piece)))
                       "  ; " (cdr (vm-disassemble bytes address start (u8vector-length bytes) image))))))))
     pieces)
    (write-zeros line names (+ base (u8vector-length bytes)) (section-end section))))

;; The names of an address as labels; those within what stands there have their address as a value.
(define (write-names line names labels address end)
  (let ((here (table-ref names address '()))
        (label (table-ref labels address #f)))
    (if (and label (not (member label here))) (line label ":"))
    (for-each (lambda (name) (if (label-name? name) (line name ":") (write-symbol line name address))) here)
    (let loop ((inside (+ address 1)))
      (if (< inside end)
          (begin
            (for-each (lambda (name) (write-symbol line name inside)) (table-ref names inside '()))
            (loop (+ inside 1)))))))

;; The operands in text, or #f where one has no text.
(define (operand-texts piece labels host-text shrinks)
  (let ((texts (map (lambda (kind field) (operand-text kind field piece labels host-text shrinks))
                    (string->list (isa-entry-kinds (piece-entry piece)))
                    (piece-fields piece))))
    (and (every (lambda (text) text) texts) texts)))

(define (statement-text name operands)
  (if (null? operands)
      name
      (string-append name
                     (make-string (max 1 (- 8 (string-length name))) #\space)
                     (string-join operands ", "))))

;; Whether the name alone can stand as an operand.
(define (plain-host-name? name)
  (and (label-name? name) (not (memv (string-ref name 0) '(#\- #\.)))))

;; index -> what names a host call: its name, where that means nothing else.
(define (host-texts imports symbols)
  (lambda (index)
    (if (< index (vector-length imports))
        (let ((name (vector-ref imports index)))
          (if (and (plain-host-name? name) (not (assoc name symbols)))
              name
              (text "(host " (quoted name) ")")))
        (number-text index))))

(define (operand-text kind field piece labels host-text shrinks)
  (case kind
    ((#\d #\s #\x #\w) (and (< field register-limit) (text "r" field)))
    ((#\t) (and (< field thread-register-limit) (text "t" field)))
    ((#\i #\o) (number-text (unzigzag field)))
    ((#\h) (host-text field))
    ((#\f) (text "(bits 0x" (hex (byte-swap field 8) 1) ")"))
    ((#\g) (and (< field (expt 2 32)) (text "(bits 0x" (hex (byte-swap field 4) 1) ")")))
    ((#\p)
     (let ((label (table-ref labels (piece-target piece) #f)))
       (and (settled? piece label shrinks)
            (or label (hex-address (piece-target piece))))))
    (else (number-text field))))

(define (bytes-text bytes start end)
  (string-join (map (lambda (i) (text "0x" (hex (u8vector-ref bytes (+ start i)) 2))) (iota (- end start))) ", "))

(define bytes-a-line 12)
(define fewest-zeros 24)

(define (write-data line section names)
  (let* ((bytes (vector-ref section 2))
         (base (vector-ref section 1))
         (stored (u8vector-length bytes)))
    ;; Up to where the next name stands, or the stored bytes end.
    (define (run-end at most)
      (let loop ((i (+ at 1)))
        (if (or (>= i (min stored most)) (table-ref names (+ base i) #f)) i (loop (+ i 1)))))
    (define (zeros-end at end)
      (let loop ((i at)) (if (and (< i end) (= 0 (u8vector-ref bytes i))) (loop (+ i 1)) i)))
    (let loop ((at 0))
      (if (< at stored)
          (let* ((end (run-end at stored))
                 (zeros (zeros-end at end)))
            (write-names line names no-labels (+ base at) (+ base at 1))
            (let rows ((at at))
              (if (< at end)
                  (let ((zeros (zeros-end at end)))
                    (if (and (>= (- zeros at) fewest-zeros) (< zeros stored))
                        (begin
                          (line "        .zero   " (- zeros at))
                          (rows zeros))
                        (let ((to (min end (+ at bytes-a-line))))
                          (line "        .byte   " (bytes-text bytes at to))
                          (rows to))))))
            (loop end))))
    (write-zeros line names (+ base stored) (section-end section))))

(define no-labels (make-table test: eqv?))

;; The addresses with names, in order.
(define (names-between names start end)
  (sort (filter (lambda (address) (and (<= start address) (< address end))) (map car (table->list names))) <))

;; Memory without bytes of its own, divided where names stand.
(define (write-zeros line names start end)
  (let loop ((at start) (marks (if (< start end) (names-between names start end) '())))
    (if (and (pair? marks) (= at (car marks)))
        (begin
          (write-names line names no-labels at (+ at 1))
          (loop at (cdr marks)))
        (let ((next (if (pair? marks) (car marks) end)))
          (if (< at next)
              (begin
                (line "        .zero   " (- next at))
                (loop next marks)))))))
