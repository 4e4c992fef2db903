;; The entries of DWARF (2 to 5): trees of what a program declares, from the sections .debug_info, .debug_abbrev and
;; those that they refer to. Numbers of tags, attributes and forms are those of the standard.
;;
;;   (for-each-unit m (lambda (unit root) (entry-name unit (car (entry-children root)))))
;;
;; Addresses are offsets in the code section. What is wrong anywhere is a wasm-error; for the debugger's words alone, so
;; who reads goes on without.
(module scheme-lib/loaders/wasm/debug-info)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/dwarf)
(declare (standard-bindings) (extended-bindings) (block))

;; A compilation unit. base: where it begins in the section; cursor: over all of it, for what is asked of entries;
;; entries: by their offsets in the unit; root: the outermost one
(define-type unit constructor: make-unit module version base cursor entries root)
;; at: where its attributes are, which are read when somebody asks
(define-type entry constructor: make-entry abbreviation at children)
;; length: of all attributes together, or #f where it differs; attributes: ((number form . implicit value or #f) …)
(define-type abbreviation constructor: make-abbreviation tag children? length attributes)

(define (entry-tag entry) (abbreviation-tag (entry-abbreviation entry)))

;; ---- attributes --------------------------------------------------------------------------------------

(define at:name #x03)
(define at:low #x11)
(define at:high #x12)
(define at:ranges #x55)
(define at:string-base #x72)
(define at:address-base #x73)
(define at:ranges-base #x74)
(define at:lists-base #x8c)

(define (unknown c) (malformed (cursor-at c) "a form of DWARF that is not known"))

;; How many bytes a value of a form takes, or #f.
(define (fixed-length form)
  (case form
    ((#x19 #x21) 0)
    ((#x0b #x0c #x11 #x25 #x29) 1)
    ((#x05 #x12 #x26 #x2a) 2)
    ((#x27 #x2b) 3)
    ((#x01 #x06 #x0e #x10 #x13 #x17 #x1c #x1d #x1f #x28 #x2c) 4)
    ((#x07 #x14 #x20 #x24) 8)
    ((#x1e) 16)
    (else #f)))

;; How long the block is that comes.
(define (block-length! c form)
  (case form
    ((#x0a) (read-bits! c 1))
    ((#x03) (read-bits! c 2))
    ((#x04) (read-bits! c 4))
    (else (read-u32! c))))

(define (skip-form! c form)
  (case form
    ((#x08) (skip-string! c))
    ((#x0d #x0f #x15 #x1a #x1b #x22 #x23) (skip-leb! c))
    ((#x03 #x04 #x09 #x0a #x18) (skip-bytes! c (block-length! c form)))
    (else (skip-bytes! c (or (fixed-length form) (unknown c))))))

(define (skip-string! c) (if (not (= 0 (read-byte! c))) (skip-string! c)))
(define (skip-leb! c) (if (> (read-byte! c) 127) (skip-leb! c)))

;; Without a sign, of up to 64 bits.
(define (read-u64! c)
  (let loop ((shift 0) (value 0))
    (let* ((byte (read-byte! c)) (value (+ value (arithmetic-shift (bitwise-and byte 127) shift))))
      (cond ((< byte 128) value)
            ((< shift 63) (loop (+ shift 7) value))
            (else (malformed (cursor-at c) "integer representation too long"))))))

;; Numbers, texts, cursors over blocks; #(index kind n) for what stands in a table; `base` is where the unit begins.
(define (read-value! c m form base)
  (case form
    ((#x08) (read-string! c))
    ((#x0e #x1f) (read-form! c m form))
    ((#x03 #x04 #x09 #x0a #x18) (cursor-part c (block-length! c form)))
    ((#x0d) (read-s64! c))
    ((#x0f) (read-u64! c))
    ((#x11 #x12 #x13 #x14) (+ base (read-bits! c (fixed-length form))))
    ((#x15) (+ base (read-u64! c)))
    ((#x19) 1)
    ((#x1a #x25 #x26 #x27 #x28) (vector 'string (index! c form)))
    ((#x1b #x29 #x2a #x2b #x2c) (vector 'address (index! c form)))
    ((#x22 #x23) (vector 'list (read-u64! c)))
    (else
     (let ((length (fixed-length form)))
       (if (and length (<= 1 length 8))
           (read-bits! c length)
           (begin (skip-form! c form) #f))))))

(define (index! c form) (let ((length (fixed-length form))) (if length (read-bits! c length) (read-u64! c))))

;; ---- entries -----------------------------------------------------------------------------------------

(define most-attributes 100)

;; ((number form . implicit value or #f) …), up to the pair of zeros behind them.
(define (read-forms! c)
  (let loop ((left most-attributes) (read '()))
    (let* ((number (read-u32! c)) (form (read-u32! c)) (implicit (and (= form #x21) (read-s64! c))))
      (cond ((= 0 number) (reverse read))
            ((= 0 left) (malformed (cursor-at c) "an entry of DWARF with too many attributes"))
            (else (loop (- left 1) (cons (cons number (cons form implicit)) read)))))))

;; Abbreviations by number, from an offset on.
(define (read-abbreviations m offset)
  (let ((c (or (module-custom m ".debug_abbrev") (malformed 0 "DWARF without abbreviations")))
        (found (make-table test: eq?)))
    (skip-bytes! c offset)
    (let loop ()
      (let ((number (read-u32! c)))
        (if (not (= 0 number))
            (let* ((tag (read-u32! c)) (children? (= 1 (read-byte! c))) (attributes (read-forms! c))
                   (lengths (map (lambda (attribute) (fixed-length (cadr attribute))) attributes)))
              (table-set! found number
                          (make-abbreviation tag children? (and (every number? lengths) (apply + lengths)) attributes))
              (loop)))))
    found))

;; A constant that is how far the end is from the beginning, rather than where.
(define (relative attribute form value)
  (if (and (= attribute at:high) (not (memv form '(#x01 #x1b #x29 #x2a #x2b #x2c)))) (vector 'relative value) value))

(define (skip-attributes! c abbreviation)
  (let ((length (abbreviation-length abbreviation)))
    (if length
        (skip-bytes! c length)
        (for-each (lambda (attribute) (skip-form! c (cadr attribute))) (abbreviation-attributes abbreviation)))))

(define deepest 500)

;; The entries up to the one that ends them.
(define (read-entries! c abbreviations start entries depth)
  (if (> depth deepest) (malformed (cursor-at c) "entries of DWARF that are too deep in each other"))
  (let loop ((found '()))
    (let* ((offset (- (cursor-at c) start)) (number (if (= 0 (cursor-left c)) 0 (read-u32! c))))
      (if (= number 0)
          (reverse found)
          (let ((abbreviation (or (table-ref abbreviations number #f)
                                  (malformed (cursor-at c) "an entry of DWARF without an abbreviation")))
                (at (cursor-at c)))
            (skip-attributes! c abbreviation)
            (let ((entry (make-entry abbreviation at
                                     (if (abbreviation-children? abbreviation)
                                         (read-entries! c abbreviations start entries (+ depth 1))
                                         '()))))
              (table-set! entries offset entry)
              (loop (cons entry found))))))))

(define (read-unit section m abbreviations-at)
  (let* ((start (cursor-at (module-custom m ".debug_info"))) (base (- (cursor-at section) start))
         (c (cursor-part section (read-bits! section 4))) (version (read-bits! c 2)))
    (if (not (<= 2 version 5)) (malformed (cursor-at c) "a version of DWARF that is not known"))
    (if (= version 5) (skip-bytes! c 2))      ; kind of unit, size of an address
    (let ((abbreviations (abbreviations-at (read-bits! c 4))) (entries (make-table test: eq?)))
      (if (< version 5) (skip-bytes! c 1))    ; size of an address
      (let ((roots (read-entries! c abbreviations start entries 0)))
        (if (null? roots) (malformed (cursor-at c) "a unit of DWARF without entries"))
        (make-unit m version base c entries (car roots))))))

;; Calls a procedure for each unit and its outermost entry.
(define (for-each-unit m procedure)
  (let ((section (module-custom m ".debug_info")) (known (make-table test: eq?)))
    (define (abbreviations-at offset)
      (or (table-ref known offset #f)
          (let ((read (read-abbreviations m offset))) (table-set! known offset read) read)))
    (if section
        (let loop ()
          (if (> (cursor-left section) 0)
              (let ((unit (read-unit section m abbreviations-at)))
                (procedure unit (unit-root unit))
                (loop)))))))

(define (unit-entry unit offset) (table-ref (unit-entries unit) offset #f))

;; A section of the module, from an offset on.
(define (unit-section unit name offset)
  (let ((c (or (module-custom (unit-module unit) name) (malformed 0 "DWARF without " name))))
    (skip-bytes! c offset)
    c))

;; ---- what is asked of an entry -----------------------------------------------------------------------

(define (raw-attribute unit entry attribute)
  (let ((c (unit-cursor unit)))
    (cursor-at-set! c (entry-at entry))
    (let loop ((attributes (abbreviation-attributes (entry-abbreviation entry))))
      (and (pair? attributes)
           (let ((form (cadar attributes)))
             (cond ((not (= attribute (caar attributes)))
                    (skip-form! c form)
                    (loop (cdr attributes)))
                   ((= form #x21) (cddar attributes))
                   (else (relative attribute form (read-value! c (unit-module unit) form (unit-base unit))))))))))

(define (base-of unit attribute) (or (raw-attribute unit (unit-root unit) attribute) 0))

(define (indexed unit value)
  (let ((kind (vector-ref value 0)) (n (vector-ref value 1)))
    (define (word section base) (read-bits! (unit-section unit section (+ base (* 4 n))) 4))
    (case kind
      ((string) (read-string! (unit-section unit ".debug_str" (word ".debug_str_offsets" (base-of unit at:string-base)))))
      ((address) (word ".debug_addr" (base-of unit at:address-base)))
      (else value))))

(define (unit-address unit n) (indexed unit (vector 'address n)))

;; A number, a text, a cursor over a block, or #f.
(define (entry-attribute unit entry attribute)
  (let ((value (raw-attribute unit entry attribute)))
    (if (and (vector? value) (symbol? (vector-ref value 0))) (indexed unit value) value)))

;; The entry that an attribute refers to, or #f.
(define (entry-reference unit entry attribute)
  (let ((offset (raw-attribute unit entry attribute))) (and (integer? offset) (unit-entry unit offset))))

;; A name, its own or that of what it is an instance or the definition of; or #f.
(define (entry-name unit entry)
  (let loop ((entry entry) (left 8))
    (and entry
         (> left 0)
         (let ((name (entry-attribute unit entry at:name)))
           (if (string? name)
               name
               (loop (or (entry-reference unit entry #x31) (entry-reference unit entry #x47)) (- left 1)))))))

(define (unit-low unit)
  (let ((low (entry-attribute unit (unit-root unit) at:low))) (if (integer? low) low 0)))

;; (low . high) of what lies in one piece, or #f.
(define (entry-range unit entry)
  (let ((low (entry-attribute unit entry at:low)) (high (entry-attribute unit entry at:high)))
    (and (integer? low)
         high
         (cons low (if (vector? high) (+ low (vector-ref high 1)) high)))))

(define none #xffffffff)

;; What a table has in it up to its end, ((low high . cursor or #f) …): of locations each with an expression.
(define (read-pairs c unit expressions?)
  (let loop ((base (unit-low unit)) (found '()))
    (let ((low (read-bits! c 4)) (high (read-bits! c 4)))
      (cond ((and (= low 0) (= high 0)) (reverse found))
            ((= low none) (loop high found))
            (else
             (let ((expression (and expressions? (cursor-part c (read-bits! c 2)))))
               (loop base (cons (cons (+ base low) (cons (+ base high) expression)) found))))))))

;; The same, as version 5 has it. Locations have a kind more in the middle: what counts everywhere else.
(define (read-list c unit expressions?)
  (define (address n) (unit-address unit n))
  (let loop ((base (unit-low unit)) (found '()))
    (let* ((kind (read-byte! c)) (kind (if (and (not expressions?) (> kind 4)) (+ kind 1) kind)))
      (define (add low high)
        (loop base (cons (cons low (cons high (and expressions? (cursor-part c (read-u32! c))))) found)))
      (case kind
        ((0) (reverse found))
        ((1) (loop (address (read-u32! c)) found))
        ((2) (let* ((low (read-u32! c)) (high (read-u32! c))) (add (address low) (address high))))
        ((3) (let* ((low (address (read-u32! c))) (length (read-u32! c))) (add low (+ low length))))
        ((4) (let* ((low (read-u32! c)) (high (read-u32! c))) (add (+ base low) (+ base high))))
        ((5) (add 0 none))
        ((6) (loop (read-bits! c 4) found))
        ((7) (let* ((low (read-bits! c 4)) (high (read-bits! c 4))) (add low high)))
        ((8) (let* ((low (read-bits! c 4)) (length (read-u32! c))) (add low (+ low length))))
        (else (malformed (cursor-at c) "a list of DWARF that is not known"))))))

;; What an attribute refers to in a table of addresses.
(define (read-table unit value old new base expressions?)
  (if (< (unit-version unit) 5)
      (read-pairs (unit-section unit old value) unit expressions?)
      (let* ((start (base-of unit base))
             (offset (if (vector? value)
                         (+ start (read-bits! (unit-section unit new (+ start (* 4 (vector-ref value 1)))) 4))
                         value)))
        (read-list (unit-section unit new offset) unit expressions?))))

;; ((low . high) …) of the code that belongs to an entry; () if it does not say.
(define (entry-ranges unit entry)
  (let ((ranges (raw-attribute unit entry at:ranges)))
    (if ranges
        (map (lambda (range) (cons (car range) (cadr range)))
             (read-table unit ranges ".debug_ranges" ".debug_rnglists" at:ranges-base #f))
        (let ((range (entry-range unit entry))) (if range (list range) '())))))

;; ((low high . cursor) …) of what an attribute says by a list; () if it has none.
(define (attribute-locations unit entry attribute)
  (let ((value (raw-attribute unit entry attribute)))
    (if (or (integer? value) (vector? value))
        (read-table unit value ".debug_loc" ".debug_loclists" at:lists-base #t)
        '())))
