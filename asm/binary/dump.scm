;; The tables of images, objects and archives: what is in the file beside the bytes themselves.
;;
;;   (binary-objdump "main.o" '(sections relocations))
(module asm/binary/dump)
(use scheme-lib/util)
(use scheme-lib/image)
(use scheme-lib/machine)
(use vm-ext/gambit/vm)
(use asm/diagnostic)
(use asm/expression)
(use asm/object)
(use asm/binary/parts)
(use asm/binary/definitions)
(use asm/binary/relocations)
(declare (block))

(define-documented binary-tables
  "The names of the tables that binary-objdump prints."
  '(header sections symbols relocations lines expansions instructions views))

(define-documented (binary-objdump what #!optional (tables binary-tables))
  "Prints tables of WHAT, whatever ->binary takes: those that the list TABLES names, out of binary-tables. Tables
that are empty are left out. In objects, addresses count from the beginning of their section."
  (for-each-binary-part
   (lambda (part)
     (let* ((image? (vm-image? (cdr part))) (rows-of (if image? image-rows object-rows)))
       (print-line (visible-text (car part)) ": " (if image? "image" "object"))
       (for-each (lambda (table)
                   (if (memq table tables) (print-table (title-of table) (rows-of (cdr part) table))))
                 binary-tables)
       (newline)))
   what))

(define (title-of table)
  (case table
    ((header) #f)
    ((sections) "sections: address, bytes in the file, bytes in memory, protection, name")
    (else (symbol->string table))))

(define (print-table title rows)
  (if (pair? rows)
      (begin
        (newline)
        (if title (print-line title))
        (for-each (lambda (row) (print-line "  " row)) rows))))

(define (section-row address stored length protection name keep?)
  (text (hex-address address) "  " (right-aligned stored 9) "  " (right-aligned length 9) "  " protection "  "
        name (if keep? ", keep" "")))

(define (definition-rows image)
  (map (lambda (row)
         (text (vector-ref row 1) "  " (vector-ref row 0) " " (vector-ref row 2) " = " (vector-ref row 5)
               "  ; " (visible-text (vector-ref row 3))))
       (image-definitions image)))

(define (imports-row names)
  (if (null? names) '() (list (text "host calls  " (string-join names ", ")))))

;; ---- images ------------------------------------------------------------------------------------------

(define (image-rows image table)
  (case table
    ((header) (cons (text "entry  " (hex-address (image-entry image))) (imports-row (image-imports image))))
    ((sections)
     (map (lambda (section)
            (section-row (vector-ref section 1) (u8vector-length (vector-ref section 2)) (vector-ref section 3)
                         (protection->text (vector-ref section 4)) (vector-ref section 0) #f))
          (image-sections image)))
    ((symbols)
     (map (lambda (symbol) (text (hex-address (vector-ref symbol 1)) "  " (vector-ref symbol 0)))
          (image-symbols image)))
    ((lines)
     (map (lambda (line) (text (hex-address (vector-ref line 0)) "  " (apply place->text (cdr (vector->list line)))))
          (image-lines image)))
    ((expansions)
     (map (lambda (expansion)
            (text (hex-address (vector-ref expansion 0)) "  in `" (vector-ref expansion 1) "`, "
                  (apply place->text (cddr (vector->list expansion)))))
          (image-expansions image)))
    ((instructions) (definition-rows image))
    ((views)
     (map (lambda (view) (text (vector-ref view 0) "  " (visible-text (vector-ref view 1)))) (image-views image)))
    (else '())))

;; ---- objects -----------------------------------------------------------------------------------------

(define (place-in object section offset)
  (text (object-section-name (vector-ref (object-sections object) section)) "+" (hex-address offset)))

;; What (row part what) gives for the parts of some kinds.
(define (part-rows object kinds row)
  (filter-map (lambda (part) (and (memq (car (part-what part)) kinds) (row part (part-what part))))
              (object-parts object)))

(define (object-rows object table)
  (case table
    ((header)
     (let ((expression-text (object-expression-texts object)))
       (append (part-rows object '(entry) (lambda (part what) (text "entry  " (expression-text (cadr what) #f))))
               (imports-row (part-rows object '(import) (lambda (part what) (cadr what)))))))
    ((sections)
     (map (lambda (section)
            (section-row (or (object-section-address section) 0) (u8vector-length (object-section-bytes section))
                         (object-section-memory-length section)
                         (protection->text (->protection (object-section-protection section)))
                         (object-section-name section) (object-section-keep? section)))
          (vector->list (object-sections object))))
    ((symbols) (symbol-rows object))
    ((relocations)
     (map (lambda (relocation)
            (text (place-in object (vector-ref relocation 0) (vector-ref relocation 1)) "  "
                  (vector-ref relocation 2) ", " (vector-ref relocation 3) ": " (vector-ref relocation 4)))
          (object-relocations object)))
    ((lines)
     (let ((rows '()))
       (for-each
        (lambda (part)
          (part-for-each-line
           (lambda (at file line column calls)
             (if (part-section part)
                 (set! rows (cons (text (place-in object (part-section part) (+ at (part-offset part))) "  "
                                        (place->text file line column))
                                  rows))))
           part))
        (object-parts object))
       (reverse rows)))
    ((expansions)
     (apply append
            (part-rows object '(made)
                       (lambda (part what)
                         (map (lambda (call)
                                (text (place-in object (part-section part) (part-offset part)) "  in `" (car call)
                                      "`, " (apply place->text (cdr call))))
                              (list-ref what 4))))))
    ((instructions) (definition-rows (object-definitions-image object)))
    ((views) (part-rows object '(view) (lambda (part what) (text (cadr what) "  " (visible-text (caddr what))))))
    (else '())))

;; All symbols, those too that no program lists.
(define (symbol-rows object)
  (define expression-text (object-expression-texts object))
  (map (lambda (symbol part)
         (text (cond ((not part) "undefined")
                     ((part-section-of-label part) => (lambda (section) (place-in object section (part-offset part))))
                     (else (text "= " (let ((value (caddr (part-what part))))
                                        (if (expression? value)
                                            (expression-text value part)
                                            (hex-address (u64 value)))))))
               "  " (object-symbol-binding symbol) (if (object-symbol-hidden? symbol) ", hidden" "")
               "  " (object-symbol-name symbol)
               (if (object-symbol-defined? symbol)
                   (text "  " (place->text (object-symbol-file symbol) (object-symbol-line symbol)
                                           (object-symbol-column symbol)))
                   "")))
       (vector->list (object-symbols object))
       (vector->list (object-definition-parts object))))

(define (part-section-of-label part)
  (and (eq? 'label (car (part-what part))) (part-section part)))
