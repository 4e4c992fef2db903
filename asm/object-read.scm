;; Bytes to objects, in the format that asm/OBJECTS.md draws.
;;
;;   (bytes->object (read-file-bytes "a.o") "a.o")
;;
;; What is read is checked in full before anything is made of it: an object from here holds what the
;; assembler could have put into it. Reading takes time and memory in proportion to the bytes.
(module asm/object-read)
(use scheme-lib/util)
(use vm-ext/gambit/vm)
(use scheme-lib/leb128)
(use asm/diagnostic)
(use asm/isa)
(use asm/encode)
(use asm/expression)
(use asm/define)
(use asm/assembly)
(use asm/object)
(use asm/object-format)
(declare (standard-bindings) (extended-bindings) (block))

(define-documented (bytes->object bytes name)
  "The object that a file's bytes are, a u8vector; NAME is what errors and the linker call it. Raises an
asm-error where the bytes are none."
  (with-exception-catcher
   (lambda (exception)
     (raise (if (problem? exception)
                (refusal name "an expression" (problem-message exception))
                exception)))
   (lambda () (read-object bytes name))))

(define (read-object bytes name)
  (check-file bytes name)
  (let* ((cursors (chunk-cursors bytes name))
         (read (lambda (n read) (read-chunk (list-ref cursors n) read)))
         (files (list->vector (read 0 (lambda (c) (read-list! c (lambda () (read-name! c)))))))
         (sections (list->vector (read 1 read-sections!)))
         (symbols (list->vector (read 2 (lambda (c) (read-symbols! c files)))))
         (definitions (read 3 read-definitions!))
         (parts (read 4 (lambda (c) (read-parts! c files sections symbols definitions)))))
    (make-object name sections symbols parts definitions)))

(define (refusal name where . parts)
  (make-asm-error
   (list (make-asm-diagnostic
          name 0 0
          (text "not a valid object: " where ": " (apply text parts)
                "; the file is damaged or its writer is at fault: make it again")
          '() #f))))

(define (refuse name where . parts) (raise (apply refusal name where parts)))

;; ---- the file ----------------------------------------------------------------------------------------

(define (check-file bytes name)
  (let ((length (u8vector-length bytes)))
    (define (wrong offset . parts) (refuse name (text "offset " offset) (apply text parts)))
    (if (not (object-bytes? bytes)) (wrong 0 "it does not begin as objects do"))
    (if (< length (+ object-header-length 8)) (wrong length "the file ends within its header"))
    (let ((version (u8vector-ref-le bytes 8 4)) (announced (u8vector-ref-le bytes 16 8)))
      (if (not (= version object-version))
          (wrong 8 "its format has version " version ", this program knows version " object-version))
      (if (not (= length announced)) (wrong 16 "it says that it has " announced " bytes, and has " length)))
    (if (not (= (u8vector-ref-le bytes (- length 8) 8) (vm-checksum bytes 0 (- length 8))))
        (wrong (- length 8) "the checksum is wrong"))))

;; The chunks in the order of `chunk-types`, each there once and at its place.
(define (chunk-cursors bytes name)
  (let* ((count (u8vector-ref-le bytes 12 4))
         (first (+ object-header-length (* count chunk-entry-length)))
         (last (- (u8vector-length bytes) 8)))
    (define (wrong offset . parts) (refuse name (text "offset " offset) (apply text parts)))
    (if (not (= count (length chunk-types)))
        (wrong 12 "it has " count " chunks, expected " (length chunk-types)))
    (if (> first last) (wrong object-header-length "the file ends within its table of chunks"))
    (let loop ((types chunk-types) (entry object-header-length) (at first) (cursors '()))
      (if (null? types)
          (if (= at last)
              (reverse cursors)
              (wrong at "bytes stand behind the last chunk"))
          (let* ((type (utf8->string (subu8vector bytes entry (+ entry 4))))
                 (start (u8vector-ref-le bytes (+ entry 8) 8))
                 (length (u8vector-ref-le bytes (+ entry 16) 8))
                 (end (+ at length)))
            (if (not (and (string=? type (car types)) (= 0 (u8vector-ref-le bytes (+ entry 4) 4))))
                (wrong entry "the chunk is of type " (written type) ", expected " (car types)))
            (if (not (and (= start at) (<= length (- last at))))
                (wrong (+ entry 8) "chunk " type " does not lie behind the one before it"))
            (if (not (zeros? bytes end (+ at (padded length))))
                (wrong end "the bytes behind chunk " type " are not 0"))
            (loop (cdr types)
                  (+ entry chunk-entry-length)
                  (+ at (padded length))
                  (cons (make-cursor name type bytes at end) cursors)))))))

(define (zeros? bytes start end)
  (or (= start end)
      (and (= 0 (u8vector-ref bytes start)) (zeros? bytes (+ start 1) end))))

;; ---- what records are made of ------------------------------------------------------------------------

(define-type cursor
  name          ; of the object
  chunk
  bytes
  (at)
  end)

(define (refuse-at cursor . parts)
  (refuse (cursor-name cursor)
          (text "chunk " (cursor-chunk cursor) ", offset " (cursor-at cursor))
          (apply text parts)))

(define (left cursor) (- (cursor-end cursor) (cursor-at cursor)))

(define (read-chunk cursor read)
  (let ((content (read cursor)))
    (if (> (left cursor) 0) (refuse-at cursor "bytes stand behind the last record"))
    content))

(define (next-byte! cursor)
  (let ((at (cursor-at cursor)))
    (if (>= at (cursor-end cursor)) (refuse-at cursor "the chunk ends in the middle of a record"))
    (cursor-at-set! cursor (+ at 1))
    (u8vector-ref (cursor-bytes cursor) at)))

;; The longest number has 4096 bits.
(define longest-number 586)

(define (read-number! cursor)
  (let loop ((n 0) (shift 0) (count 1))
    (let* ((byte (next-byte! cursor))
           (n (+ n (arithmetic-shift (fxand byte 127) shift))))
      (cond ((fx< byte 128) n)
            ((fx= count longest-number) (refuse-at cursor "a number has more than " longest-number " bytes"))
            (else (loop n (fx+ shift 7) (fx+ count 1)))))))

(define (read-integer! cursor)
  (unzigzag (read-number! cursor)))

(define (read-below! cursor limit what)
  (let ((n (read-number! cursor)))
    (if (>= n limit) (refuse-at cursor what " is " n ", expected less than " limit))
    n))

;; The element of a vector with the number that comes.
(define (read-element! cursor vector what)
  (vector-ref vector (read-below! cursor (vector-length vector) what)))

(define (read-blob! cursor)
  (let* ((length (read-number! cursor))
         (at (cursor-at cursor)))
    (if (> length (left cursor))
        (refuse-at cursor length " bytes are announced, " (left cursor) " are left"))
    (cursor-at-set! cursor (+ at length))
    (subu8vector (cursor-bytes cursor) at (+ at length))))

;; The shortest record has one byte, so that a count is held against what is left before it is believed.
(define (read-list! cursor read-item)
  (let ((count (read-number! cursor)))
    (if (> count (left cursor))
        (refuse-at cursor count " records are announced, " (left cursor) " bytes are left"))
    (times! count read-item)))

;; What so many calls give, in order.
(define (times! count read-item)
  (let loop ((i 0) (items '()))
    (if (< i count) (loop (+ i 1) (cons (read-item) items)) (reverse items))))

(define (read-text! cursor)
  (let* ((bytes (read-blob! cursor))
         (string (utf8->string bytes)))
    (if (not (equal? bytes (string->utf8 string))) (refuse-at cursor "a name is no UTF-8"))
    (if (string=? string "") (refuse-at cursor "a name is empty"))
    string))

(define (read-name! cursor)
  (let ((name (read-text! cursor)))
    (if (not (possible-name? name)) (refuse-at cursor "a name is too long or has control characters"))
    name))

;; What an image can hold as the description of a view.
(define longest-view 65535)

(define (read-view! cursor)
  (let ((view (read-text! cursor)))
    (if (or (string-index view control-character?) (> (u8vector-length (string->utf8 view)) longest-view))
        (refuse-at cursor "a view is too long or has control characters"))
    view))

(define line-limit (expt 2 32))

(define (read-line-number! c) (read-below! c line-limit "a line"))
(define (read-column! c) (read-below! c line-limit "a column"))
(define (read-file! c files) (read-element! c files "the number of a file"))

;; Whether a name is met for the first time.
(define (new-names)
  (let ((met (make-table test: equal?)))
    (lambda (name)
      (and (not (table-ref met name #f))
           (begin
             (table-set! met name #t)
             #t)))))

;; ---- sections, symbols, definitions ------------------------------------------------------------------

(define (read-sections! c)
  (let ((new? (new-names)) (total 0))
    (read-list! c
      (lambda ()
        (let* ((name (read-name! c))
               (protection (read-below! c 8 "a protection"))
               (flags (read-below! c 4 "a section's flags"))
               (address (and (>= flags 2) (read-below! c (expt 2 64) "a section's address")))
               (memory-length (read-below! c (+ 1 memory-limit) "a section's length"))
               (bytes (read-blob! c)))
          (set! total (+ total memory-length))
          (if (not (new? name)) (refuse-at c "the section " (written name) " appears twice"))
          (if (> (u8vector-length bytes) memory-length)
              (refuse-at c "the section " (written name) " has more bytes than room"))
          (if (> total memory-limit)
              (refuse-at c "the sections together take more than " memory-limit " bytes"))
          (make-object-section name
                               (string-append (if (odd? protection) "r" "")
                                              (if (odd? (quotient protection 2)) "w" "")
                                              (if (>= protection 4) "x" ""))
                               address (odd? flags) bytes memory-length))))))

(define (read-symbols! c files)
  (let ((new? (new-names)))
    (read-list! c
      (lambda ()
        (let* ((name (read-name! c))
               (flags (read-below! c 16 "a symbol's flags"))
               (defined? (odd? (quotient flags 4)))
               (hidden? (>= flags 8))
               (local? (= 0 (modulo flags 4))))
          (if (= 3 (modulo flags 4)) (refuse-at c "there is no binding 3"))
          (if (if local? (not defined?) hidden?)
              (refuse-at c "the symbol " (written name) " contradicts itself"))
          (if (not (or hidden? (new? name))) (refuse-at c "the symbol " (written name) " appears twice"))
          (let* ((file (and defined? (read-file! c files)))
                 (line (if defined? (read-line-number! c) 0))
                 (column (if defined? (read-column! c) 0)))
            (make-object-symbol name (vector-ref binding-names (modulo flags 4)) defined? hidden?
                                file line column)))))))

;; The machine says what can be an instruction.
(define (read-definitions! c)
  (let ((image (vm-image-new)))
    (read-list! c
      (lambda ()
        (let* ((name (read-name! c))
               (opcode (read-number! c))
               (kinds (utf8->string (read-blob! c)))
               (meaning (utf8->string (read-blob! c)))
               (body (read-blob! c)))
          (with-exception-catcher
           (lambda (exception)
             (refuse-at c (if (vm-error? exception)
                              (vm-error-message exception)
                              "no instruction can be defined so")))
           (lambda () (vm-image-add-instruction image name opcode kinds meaning body)))
          (row->definition (vector (string->symbol name) opcode kinds meaning body "")))))))

;; ---- parts -------------------------------------------------------------------------------------------

;; What is known while parts are read.
(define-type place
  cursor
  files
  sections
  symbols
  entries         ; table: opcode -> what the object's own definition says of it
  reached         ; for each section, how far parts have come
  kinds           ; for each symbol, how it was defined: #f, label or set
  (section)       ; the number of the current one
  (line)          ; of the statement before
  (statement?))   ; whether there was one

(define (read-parts! c files sections symbols definitions)
  (let ((place (make-place c files sections symbols (make-table test: eqv?)
                           (make-vector (vector-length sections) 0)
                           (make-vector (vector-length symbols) #f)
                           0 0 #f)))
    (for-each (lambda (definition)
                (table-set! (place-entries place)
                            (definition-opcode definition) (definition-entry definition)))
              definitions)
    (let loop ((parts '()))
      (if (> (left c) 0)
          (let ((part (read-part! place)))
            (loop (if part (cons part parts) parts)))
          (begin
            (check-all-defined place)
            (reverse parts))))))

(define (check-all-defined place)
  (let ((kinds (place-kinds place)) (symbols (place-symbols place)))
    (let loop ((i 0))
      (if (< i (vector-length symbols))
          (begin
            (if (and (object-symbol-defined? (vector-ref symbols i)) (not (vector-ref kinds i)))
                (refuse-at (place-cursor place) "nothing defines symbol " i))
            (loop (+ i 1)))))))

;; #f for one that only says where the next ones stand.
(define (read-part! place)
  (let* ((c (place-cursor place)) (tag (read-number! c)))
    (define (part offset length . what)
      (make-part (and (any-section? place) (place-section place)) offset length what))
    (if (>= tag (vector-length part-kinds)) (refuse-at c "there is no part " tag))
    (case (vector-ref part-kinds tag)
      ((section)
       (let ((count (vector-length (place-sections place))))
         (place-section-set! place (read-below! c count "the number of a section"))
         #f))
      ((statement)
       (let* ((offset (read-advance! place))
              (begun (read-beginning! place))
              (code? (= 1 (read-below! c 2 "a statement's flag"))))
         (check-line c (cadr begun) (if code? 1 0))
         (apply part offset 0 'statement (append begun (list code?)))))
      ((run)
       (let* ((offset (read-advance-in-section! place))
              (begun (read-beginning! place)))
         (check-line c (cadr begun) 1)
         (apply part offset 0 'run (append begun (list (read-run! place offset (cadr begun)))))))
      ((label)
       (let* ((offset (read-advance-in-section! place)) (index (read-symbol-number! place)))
         (note-definition-of-symbol! place index 'label)
         (part offset 0 'label index)))
      ((value)
       (let* ((index (read-symbol-number! place))
              (value (read-expression! place (read-number! c)))
              (kind (if (= 1 (read-below! c 2 "a symbol's kind")) 'set 'label)))
         (note-definition-of-symbol! place index kind)
         (part 0 0 'value index value kind)))
      ((instruction)
       (let* ((offset (read-advance-in-section! place))
              (length (read-stand-in! place))
              (operand (read-operand-place! place))
              (entry (read-entry! place))
              (fields (read-fields! place (string->list (isa-entry-kinds entry)))))
         (if (not (any expression? fields)) (refuse-at c "an instruction holds nothing for the linker"))
         (part offset length 'instruction entry fields (car operand) (cdr operand))))
      ((directive)
       (let* ((offset (read-advance-in-section! place))
              (length (read-stand-in! place))
              (operand (read-operand-place! place))
              (name (read-element! c directive-names "the number of a directive"))
              (operands (read-operands! place name)))
         (part offset length 'directive name operands (car operand) (cdr operand))))
      ((made)
       (let* ((offset (read-advance-in-section! place))
              (source (read-source! place))
              (calls (read-list! c (lambda ()
                                     (let ((macro (read-name! c)))
                                       (cons macro (read-source! place)))))))
         (part offset 0 'made (car source) (cadr source) (caddr source) calls)))
      ((import) (part 0 0 'import (read-host! c)))
      ((view)
       (let* ((name (string->symbol (read-name! c))) (view (read-view! c)))
         (part 0 0 'view name view)))
      (else (part 0 0 'entry (read-expression! place (read-number! c)))))))

;; File, line and column of a statement or run.
(define (read-beginning! place)
  (let* ((c (place-cursor place))
         (file (read-file! c (place-files place)))
         (line (+ (place-line place) (read-integer! c)))
         (column (read-column! c)))
    (place-line-set! place line)
    (place-statement?-set! place #t)
    (list file line column)))

(define (check-line c line least)
  (if (not (and (<= least line) (< line line-limit))) (refuse-at c "there is no line " line)))

;; The places of a run's instructions, which asm/runs reads without another look.
(define (read-run! place offset line)
  (let* ((places (read-blob! (place-cursor place)))
         (c (make-cursor (cursor-name (place-cursor place)) "PART, in a run" places 0 (u8vector-length places))))
    (define (shortest! read)
      (let* ((at (cursor-at c)) (n (read)))
        (if (> (- (cursor-at c) at) (uleb128-length n)) (refuse-at c "a number is not in its shortest form"))
        n))
    (let loop ((offset offset) (line line))
      (if (> offset (section-length place)) (refuse-at c "it goes beyond the end of its section"))
      (if (> (left c) 0)
          (let* ((size (shortest! (lambda () (read-below! c 128 "an instruction's size"))))
                 (line (+ line (shortest! (lambda () (read-line-number! c))))))
            (if (= size 0) (refuse-at c "an instruction has no bytes"))
            (check-line c line 1)
            (shortest! (lambda () (read-column! c)))
            (loop (+ offset size) line))))
    places))

;; ---- where a part stands -----------------------------------------------------------------------------

(define (any-section? place) (> (vector-length (place-sections place)) 0))

(define (section-length place)
  (object-section-memory-length (vector-ref (place-sections place) (place-section place))))

;; Goes on by what the file says; gives the offset.
(define (read-advance! place)
  (let ((distance (read-number! (place-cursor place))))
    (if (any-section? place)
        (let ((offset (+ (vector-ref (place-reached place) (place-section place)) distance)))
          (if (> offset (section-length place))
              (refuse-at (place-cursor place) "it lies behind the end of its section"))
          (vector-set! (place-reached place) (place-section place) offset)
          offset)
        distance)))

(define (read-advance-in-section! place)
  (if (not (any-section? place)) (refuse-at (place-cursor place) "there is no section for it"))
  (read-advance! place))

(define (read-stand-in! place)
  (let* ((length (read-number! (place-cursor place)))
         (end (+ length (vector-ref (place-reached place) (place-section place)))))
    (if (> end (section-length place))
        (refuse-at (place-cursor place) "it goes beyond the end of its section"))
    (vector-set! (place-reached place) (place-section place) end)
    length))

;; Line and column of an operand, in the statement that began last.
(define (read-operand-place! place)
  (let* ((c (place-cursor place)) (line (read-line-number! c)) (column (read-column! c)))
    (if (not (place-statement? place)) (refuse-at c "it stands before the first statement"))
    (cons line column)))

(define (read-source! place)
  (let* ((c (place-cursor place))
         (file (read-file! c (place-files place)))
         (line (read-line-number! c))
         (column (read-column! c)))
    (if (= line 0) (refuse-at c "there is no line 0"))
    (list file line column)))

;; ---- what a part says --------------------------------------------------------------------------------

(define (read-symbol-number! place)
  (read-below! (place-cursor place) (vector-length (place-symbols place)) "the number of a symbol"))

(define (note-definition-of-symbol! place index kind)
  (let ((c (place-cursor place)) (before (vector-ref (place-kinds place) index)))
    (if (not (object-symbol-defined? (vector-ref (place-symbols place) index)))
        (refuse-at c "it defines symbol " index ", which is said to be elsewhere"))
    (if (and before (not (and (eq? before 'set) (eq? kind 'set))))
        (refuse-at c "it defines symbol " index " again"))
    (vector-set! (place-kinds place) index kind)))

(define (read-host! c)
  (let ((name (read-text! c)))
    (if (not (host-name? name)) (refuse-at c (written name) " cannot be the name of a host call"))
    name))

(define (read-entry! place)
  (let* ((c (place-cursor place)) (opcode (read-number! c)))
    (or (table-ref (place-entries place) opcode #f)
        (isa-by-opcode opcode)
        (refuse-at c "there is no such instruction"))))

(define (read-fields! place kinds)
  (let loop ((kinds kinds) (fields '()))
    (if (null? kinds)
        (reverse fields)
        (loop (cdr kinds) (cons (read-field! place (car kinds)) fields)))))

(define (read-field! place kind)
  (let* ((c (place-cursor place)) (tag (read-number! c)))
    (if (eq? 'integer (expression-kind tag))
        (read-below! c
                     (cond ((isa-kind-register? kind) register-limit)
                           ((char=? kind #\t) thread-register-limit)
                           (else (expt 2 64)))
                     "a field")
        (let ((x (read-expression! place tag)))
          (if (not (expression? x)) (refuse-at c "a field is no expression"))
          (if (or (isa-kind-register? kind) (memv kind '(#\t #\f #\g)))
              (refuse-at c "a register or real number is an expression"))
          x))))

;; Only the message of an assertion is text.
(define (read-operands! place directive)
  (let ((c (place-cursor place)) (position -1))
    (read-list! c
      (lambda ()
        (let* ((tag (read-number! c))
               (text? (eq? 'bytes (expression-kind tag))))
          (set! position (+ position 1))
          (if (not (eq? text? (and (string=? directive ".assert") (= position 1))))
              (refuse-at c "an operand of " directive " is of the wrong kind"))
          (if text? (read-blob! c) (read-expression! place tag)))))))

;; ---- expressions -------------------------------------------------------------------------------------

(define (expression-kind tag)
  (and (< tag (vector-length expression-kinds)) (vector-ref expression-kinds tag)))

;; Sums within sums multiply their factors.
(define (bounded-sum c x)
  (if (and (expression? x)
           (eq? 'sum (expression-operator x))
           (any (lambda (part) (and (not (expression? part)) (> (integer-length part) bits-limit)))
                (expression-arguments x)))
      (refuse-at c "a factor has more than " bits-limit " bits"))
  x)

;; An expression, or an integer, whose tag was read.
(define (read-expression! place tag)
  (let ((c (place-cursor place)) (parts-left expression-size-limit))
    (define (argument!) (node! (read-number! c)))
    (define (term!)
      (let ((factor (read-integer! c)))
        (cons factor (argument!))))
    (define (operation! row)
      (let ((arguments (times! (cdr row) argument!)))
        (if (not (any expression? arguments)) (refuse-at c "an expression computes with integers alone"))
        (make-operation (car row) arguments)))
    (define (node! tag)
      (set! parts-left (- parts-left 1))
      (if (< parts-left 0) (refuse-at c "an expression has more than " expression-size-limit " parts"))
      (case (expression-kind tag)
        ((integer) (read-integer! c))
        ((symbol) (symbol-reference (read-symbol-number! place)))
        ((host) (host-reference (read-host! c)))
        ((number) (fixed-number (read-integer! c)))
        ((sum)
         (let* ((count (read-below! c expression-size-limit "the number of terms"))
                (constant (read-integer! c)))
           (bounded-sum c (make-sum constant (times! count term!)))))
        (else
         (let ((number (- tag first-operator)))
           (if (not (< -1 number (vector-length operators))) (refuse-at c "there is no expression " tag))
           (operation! (vector-ref operators number))))))
    (node! tag)))
