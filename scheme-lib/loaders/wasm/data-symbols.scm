;; Names and addresses of the variables that stand in memory, from the sections .debug_info, .debug_abbrev and
;; .debug_str (DWARF 2 to 5). What is wrong there costs these names and nothing else.
;;
;;   (module-data-symbols m)   => (("depth" . 3652) ("other" . 3664))   offsets in the linear memory
(module scheme-lib/loaders/wasm/data-symbols)
(use scheme-lib/util)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/dwarf)
(declare (standard-bindings) (extended-bindings) (block))

(define tag:variable #x34)
(define attribute:name #x03)
(define attribute:location #x02)
(define op:address #x03)

(define (unknown c) (malformed (cursor-at c) "a form of DWARF that is not known"))

;; How many bytes a value of a form takes, or #f.
(define (fixed-length form)
  (case form
    ((#x19 #x21) 0)
    ((#x0b #x0c #x11 #x25 #x29) 1)
    ((#x05 #x12 #x26 #x2a) 2)
    ((#x27 #x2b) 3)
    ((#x01 #x06 #x0e #x10 #x13 #x17 #x1c #x1d #x1f #x28 #x2c) 4)
    ((#x07 #x14 #x20) 8)
    ((#x1e) 16)
    (else #f)))

(define (skip-form! c form)
  (case form
    ((#x08) (read-string! c))
    ((#x0d #x0f #x15 #x1a #x1b #x22 #x23) (read-u32! c))
    ((#x09 #x18) (skip-bytes! c (read-u32! c)))
    ((#x0a) (skip-bytes! c (read-bits! c 1)))
    ((#x03) (skip-bytes! c (read-bits! c 2)))
    ((#x04) (skip-bytes! c (read-bits! c 4)))
    (else (skip-bytes! c (or (fixed-length form) (unknown c))))))

;; The address that an expression is, or #f: an operation and 4 bytes.
(define (read-address! c form)
  (if (memv form '(#x18 #x0a))
      (let* ((length (if (= form #x18) (read-u32! c) (read-bits! c 1))) (part (cursor-part c length)))
        (and (= length 5) (= op:address (read-byte! part)) (read-bits! part 4)))
      (begin (skip-form! c form) #f)))

;; Abbreviations from an offset on: number -> (tag (attribute . form) ...)
(define (read-abbreviations m offset)
  (let ((section (module-custom m ".debug_abbrev")) (found (make-table)))
    (if (not section) (malformed 0 "DWARF without abbreviations"))
    (skip-bytes! section offset)
    (let loop ()
      (let ((number (read-u32! section)))
        (if (not (= 0 number))
            (let ((tag (read-u32! section)))
              (read-byte! section)          ; whether it has children
              (let attributes ((read '()))
                (let* ((attribute (read-u32! section)) (form (read-u32! section)))
                  (if (= form #x21) (read-u32! section))
                  (if (= 0 attribute)
                      (table-set! found number (cons tag (reverse read)))
                      (attributes (cons (cons attribute form) read)))))
              (loop)))))
    found))

;; Adds the variables of an entry: its attributes are read in any case.
(define (read-entry! c m abbreviation found)
  (let loop ((attributes (cdr abbreviation)) (name #f) (address #f))
    (if (pair? attributes)
        (let ((attribute (caar attributes)) (form (cdar attributes)))
          (cond ((not (= tag:variable (car abbreviation)))
                 (skip-form! c form)
                 (loop (cdr attributes) #f #f))
                ((and (= attribute attribute:name) (memv form '(#x08 #x0e)))
                 (loop (cdr attributes) (read-form! c m form) address))
                ((= attribute attribute:location)
                 (loop (cdr attributes) name (read-address! c form)))
                (else
                 (skip-form! c form)
                 (loop (cdr attributes) name address))))
        (if (and name address) (cons (cons name address) found) found))))

(define (read-unit! section m found)
  (let* ((c (cursor-part section (read-bits! section 4))) (version (read-bits! c 2)))
    (if (not (<= 2 version 5)) (malformed (cursor-at c) "a version of DWARF that is not known"))
    (if (= version 5) (skip-bytes! c 2))      ; kind of unit, size of an address
    (let ((abbreviations (read-abbreviations m (read-bits! c 4))))
      (if (< version 5) (skip-bytes! c 1))    ; size of an address
      (let loop ((found found))
        (if (= 0 (cursor-left c))
            found
            (let ((number (read-u32! c)))
              (loop (if (= number 0)
                        found
                        (read-entry! c m (table-ref abbreviations number '(0)) found)))))))))

(define (module-data-symbols m)
  (let ((section (module-custom m ".debug_info")))
    (if (not section)
        '()
        (with-exception-catcher
         (lambda (e) (if (wasm-error? e) '() (raise e)))
         (lambda ()
           (let loop ((found '()))
             (if (= 0 (cursor-left section))
                 (reverse found)
                 (loop (read-unit! section m found)))))))))
