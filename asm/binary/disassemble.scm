;; Listings of images, objects and archives: sections with symbols, instructions and data. What the linker
;; computes is shown in an object as in its source, with the symbols that it depends on.
;;
;;   (binary-disasm "main.o")
(module asm/binary/disassemble)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/machine)
(use vm-ext/gambit/vm)
(use asm/object)
(use asm/binary/parts)
(use asm/binary/definitions)
(use asm/binary/relocations)
(declare (block))

(define-documented (binary-disasm what #!key (name "binary"))
  "Prints what is in WHAT, whatever ->binary takes: sections with symbols, instructions and data."
  (for-each-binary-part
   (lambda (part)
     (if (vm-image? (cdr part))
         (print-image (cdr part) (car part))
         (print-object (cdr part) (car part))))
   what
   name: name))

;; A section under way. Addresses begin with 0 in an object, unless it has one of its own.
(define-type area
  name
  address
  bytes
  length       ; in memory
  protection   ; as numbers have it: 1 read + 2 write + 4 execute
  names        ; table: address -> names there, in order
  waiting      ; what the linker computes: lists of address, length and text, by address
  image)       ; whose instructions the code may use

(define (print-title name kind entry imports image)
  (print-line (visible-text name) ": " kind
              (if entry (text ", entry " entry) "")
              (if (null? imports) "" (text ", host calls " (string-join imports ", "))))
  (newline)
  (for-each
   (lambda (row)
     (print-line "instruction " (vector-ref row 1) ": " (vector-ref row 0) " " (vector-ref row 2) " = "
                 (vector-ref row 5)))
   (image-definitions image)))

;; pairs of a name and an address -> table: address -> names
(define (table-of-names pairs)
  (let ((names (make-table test: eqv?)))
    (for-each (lambda (pair) (table-set! names (cdr pair) (cons (car pair) (table-ref names (cdr pair) '()))))
              (reverse pairs))
    names))

;; ---- images ------------------------------------------------------------------------------------------

(define (print-image image name)
  (let ((names (table-of-names (map (lambda (symbol) (cons (vector-ref symbol 0) (vector-ref symbol 1)))
                                    (image-symbols image)))))
    (print-title name "image" (hex-address (image-entry image)) (image-imports image) image)
    (for-each (lambda (section)
                (print-area (apply make-area (append (vector->list section) (list names '() image)))))
              (image-sections image))))

;; ---- objects -----------------------------------------------------------------------------------------

(define (print-object object name)
  (let* ((sections (object-sections object))
         (count (vector-length sections))
         (image (object-definitions-image object))
         (expression-text (object-expression-texts object))
         (labels (make-vector count '()))     ; for each section, pairs of a name and an offset
         (waiting (make-vector count '()))    ; for each section, lists of offset, length and text
         (entry #f)
         (imports '()))
    (define (add! vector part item)
      (vector-set! vector (part-section part) (cons item (vector-ref vector (part-section part)))))
    (for-each
     (lambda (part)
       (let ((what (part-what part)))
         (case (car what)
           ((label)
            (add! labels part
                  (cons (object-symbol-name (vector-ref (object-symbols object) (cadr what))) (part-offset part))))
           ((instruction directive)
            (add! waiting part (list (part-offset part) (part-length part) (part-text part expression-text image))))
           ((import) (set! imports (cons (cadr what) imports)))
           ((entry) (set! entry (expression-text (cadr what) #f))))))
     (object-parts object))
    (print-title name "object" entry (reverse imports) image)
    (for-each
     (lambda (index)
       (let* ((section (vector-ref sections index)) (base (or (object-section-address section) 0)))
         (define (placed item) (cons (+ base (car item)) (cdr item)))
         (print-area
          (make-area (object-section-name section) base
                     (object-section-bytes section) (object-section-memory-length section)
                     (->protection (object-section-protection section))
                     (table-of-names (map (lambda (label) (cons (car label) (+ base (cdr label))))
                                          (reverse (vector-ref labels index))))
                     (map placed (reverse (vector-ref waiting index)))
                     image))))
     (iota count))))

;; ---- sections ----------------------------------------------------------------------------------------

(define bytes-a-line 16)
(define most-bytes-shown 10)

(define (area-end area) (+ (area-address area) (area-length area)))
(define (area-stored-end area) (+ (area-address area) (u8vector-length (area-bytes area))))
(define (area-executable? area) (bit-set? 2 (area-protection area)))

;; A few bytes; zeros behind those of the file.
(define (bytes-between area start end)
  (let ((base (area-address area)) (stored (area-stored-end area)))
    (u8vector-append (subu8vector (area-bytes area) (- (min start stored) base) (- (min end stored) base))
                     (make-u8vector (- end (max start (min end stored))) 0))))

(define (print-names area address)
  (for-each (lambda (name) (print-line name ":")) (table-ref (area-names area) address '())))

(define (print-area area)
  (let ((marks (sort (filter (lambda (address) (< (area-address area) address (area-end area)))
                             (map car (table->list (area-names area))))
                     <)))
    (print-line "section " (area-name area) ", " (hex-address (area-address area)) ", " (area-length area)
                " bytes, " (protection->text (area-protection area)))
    ;; marks: addresses with names; waiting: as in the area; both not yet reached.
    (let loop ((address (area-address area)) (marks marks) (waiting (area-waiting area)) (named #f))
      (let ((marks (drop-while (lambda (mark) (<= mark address)) marks)))
        (define (go-on next waiting) (loop next marks waiting address))
        (if (not (eqv? named address)) (print-names area address))
        (cond ((and (pair? waiting) (<= (caar waiting) address))
               (let ((next (max address (+ (caar waiting) (cadar waiting)))))
                 (print-code area address next (caddar waiting))
                 (go-on next (cdr waiting))))
              ((< address (area-end area))
               (let ((limit (apply min (area-end area)
                                   (append (if (pair? waiting) (list (caar waiting)) '())
                                           (if (and (pair? marks) (not (code-at? area address)))
                                               (list (car marks))
                                               '())))))
                 (go-on (print-piece area address limit) waiting))))))
    (newline)))

(define (code-at? area address)
  (and (area-executable? area) (< address (area-stored-end area))))

;; What stands at the address, up to the limit at most; gives the address behind it.
(define (print-piece area address limit)
  (cond ((>= address (area-stored-end area))
         (print-line "    " (hex-address address) "  " (- limit address) " zero bytes")
         limit)
        ((area-executable? area)
         (let* ((base (area-address area))
                (limit (min limit (area-stored-end area)))
                (shown (vm-disassemble (area-bytes area) address (- address base) (- limit base) (area-image area)))
                (next (+ address (max 1 (car shown)))))
           (print-code area address next (cdr shown))
           next))
        (else
         (let ((next (min limit (area-stored-end area) (+ address bytes-a-line))))
           (print-data address (u8vector->list (bytes-between area address next)))
           next))))

(define (print-code area address next shown)
  (print-line "    " (hex-address address) "  "
              (string-pad-right (u8vector->hex (bytes-between area address (min next (+ address most-bytes-shown))))
                                (* 2 most-bytes-shown))
              "  " shown))

(define (print-data address bytes)
  (print-line "    " (hex-address address) "  "
              (string-pad-right (string-join (map (lambda (byte) (hex byte 2)) bytes) " ") (* 3 bytes-a-line))
              (list->string (map (lambda (byte) (if (< 31 byte 127) (integer->char byte) #\.)) bytes))))
