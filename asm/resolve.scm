;; Which objects take part in a link, what each name means, and which sections are needed.
;;
;; Objects take part as they are named; a member of an archive does when it defines a name that something
;; needs and nothing has defined yet, wherever on the command line the archive stands. A global definition
;; wins over weak ones; among weak ones, the first.
(module asm/resolve)
(use scheme-lib/util)
(use asm/diagnostic)
(use asm/expression)
(use asm/object)
(use asm/archive)
(declare (standard-bindings) (extended-bindings) (block))

;; An object under way. keys: for each symbol, what stands for it in the assembly of the whole: one symbol
;; for all that mean the same.
(define-type unit
  object
  (keys)
  (live))    ; a vector: whether each section takes part

(define-type resolution
  (units)         ; in the order of the link
  definitions     ; table: name -> (unit . index) of each definition, in order
  members         ; table: name -> the first member of an archive that defines it
  dead            ; table: a part that defines a symbol -> #t, if it stands in or depends on what is left out
  (extracted)     ; (unit name . the object that needed it), in order
  (entry))        ; the name of the first instruction, or #f: where an object says, or where .text begins

;; inputs: objects and archives. entry: the name of the first instruction, or #f for _start, else main.
(define (resolve inputs entry)
  (let ((r (make-resolution '() (make-table test: equal?) (make-table test: equal?) (make-table test: eq?)
                            '() entry)))
    (define (wanted? name) (not (table-ref (resolution-definitions r) name #f)))
    ;; Takes the member that defines the name, if there is one.
    (define (want! name needed-by)
      (let ((member (and (wanted? name) (table-ref (resolution-members r) name #f))))
        (if member
            (begin
              (resolution-extracted-set! r (cons (cons* member name needed-by) (resolution-extracted r)))
              (add! member)))))
    (define (add! object)
      (let ((unit (make-unit object #f (make-vector (vector-length (object-sections object)) #t))))
        (resolution-units-set! r (cons unit (resolution-units r)))
        (for-each-symbol
         (lambda (symbol index)
           (if (and (object-symbol-visible? symbol) (object-symbol-defined? symbol))
               (add-definition! r (object-symbol-name symbol) unit index)))
         object)
        (for-each-symbol
         (lambda (symbol index)
           (if (needs-definition? symbol) (want! (object-symbol-name symbol) object)))
         object)))
    (define (offer! object)
      (for-each-symbol
       (lambda (symbol index)
         (let ((name (object-symbol-name symbol)))
           (if (and (object-symbol-visible? symbol)
                    (object-symbol-defined? symbol)
                    (not (table-ref (resolution-members r) name #f)))
               (table-set! (resolution-members r) name object))))
       object))
    (define (needed-names)
      (append (if entry (list (cons entry #f)) '())
              (append-map
               (lambda (unit)
                 (filter-map (lambda (symbol)
                               (and (needs-definition? symbol)
                                    (cons (object-symbol-name symbol) (unit-object unit))))
                             (vector->list (object-symbols (unit-object unit)))))
               (reverse (resolution-units r)))))
    (for-each
     (lambda (input)
       (if (object? input)
           (add! input)
           (begin
             (for-each offer! (archive-objects input))
             (for-each (lambda (need) (want! (car need) (cdr need))) (needed-names)))))
     inputs)
    (if (not (or entry (any-entry? r)))
        (begin
          (if (not (any-named? r '("_start" "main"))) (want! "_start" #f))
          (if (not (any-named? r '("_start" "main"))) (want! "main" #f))))
    (resolution-units-set! r (reverse (resolution-units r)))
    (resolution-extracted-set! r (reverse (resolution-extracted r)))
    (resolution-entry-set! r
      (or entry
          (and (not (any-entry? r)) (find (lambda (name) (any-named? r (list name))) '("_start" "main")))))
    (give-keys! r)
    r))

(define (for-each-symbol action object)
  (let ((symbols (object-symbols object)))
    (let loop ((i 0))
      (if (< i (vector-length symbols))
          (begin
            (action (vector-ref symbols i) i)
            (loop (+ i 1)))))))

(define (needs-definition? symbol)
  (and (not (object-symbol-defined? symbol)) (eq? (object-symbol-binding symbol) 'global)))

;; Whether an object says where the program begins.
(define (any-entry? r)
  (any (lambda (unit) (any entry-part? (object-parts (unit-object unit)))) (resolution-units r)))

(define (entry-part? part)
  (eq? 'entry (car (part-what part))))

;; Whether an object defines one of the names, if only for itself.
(define (any-named? r names)
  (any (lambda (unit)
         (any (lambda (symbol)
                (and (object-symbol-defined? symbol)
                     (not (object-symbol-hidden? symbol))
                     (member (object-symbol-name symbol) names)
                     #t))
              (vector->list (object-symbols (unit-object unit)))))
       (resolution-units r)))

(define (add-definition! r name unit index)
  (let ((table (resolution-definitions r)))
    (table-set! table name (append (table-ref table name '()) (list (cons unit index))))))

(define (definition-symbol definition)
  (vector-ref (object-symbols (unit-object (car definition))) (cdr definition)))

(define (strong? definition)
  (eq? 'global (object-symbol-binding (definition-symbol definition))))

;; (unit . index) of what a visible name means, or #f.
(define (definition-of r name)
  (let ((definitions (table-ref (resolution-definitions r) name '())))
    (or (find strong? definitions)
        (and (pair? definitions) (car definitions)))))

;; Visible names have one key; what an object has for itself has its own.
(define (give-keys! r)
  (for-each
   (lambda (unit)
     (unit-keys-set! unit
       (vector-map (lambda (symbol)
                     (let ((name (object-symbol-name symbol)))
                       (if (object-symbol-visible? symbol)
                           (string->symbol name)
                           (string->uninterned-symbol name))))
                   (object-symbols (unit-object unit)))))
   (resolution-units r)))

;; Whether the unit's definition of the symbol is the one that counts.
(define (unit-defines? r unit index)
  (let ((symbol (vector-ref (object-symbols (unit-object unit)) index)))
    (or (not (object-symbol-visible? symbol))
        (let ((definition (definition-of r (object-symbol-name symbol))))
          (and (eq? (car definition) unit) (= (cdr definition) index))))))

;; Table: the key of each symbol that nothing defines, and nothing needs to -> 0, its value.
(define (undefined-weak-keys r)
  (let ((keys (make-table test: eq?)))
    (for-each
     (lambda (unit)
       (for-each-symbol
        (lambda (symbol index)
          (if (and (object-symbol-visible? symbol) (not (definition-of r (object-symbol-name symbol))))
              (table-set! keys (vector-ref (unit-keys unit) index) 0)))
        (unit-object unit)))
     (resolution-units r))
    keys))

;; ---- what is needed ----------------------------------------------------------------------------------

;; index: #f for what stands in no section.
(define (section-live? unit index)
  (or (not index) (vector-ref (unit-live unit) index)))

;; Where a symbol is defined: (unit . part), or #f.
(define (defining-part r unit index)
  (let* ((symbol (vector-ref (object-symbols (unit-object unit)) index))
         (definition (if (object-symbol-visible? symbol)
                         (definition-of r (object-symbol-name symbol))
                         (cons unit index))))
    (and definition
         (let ((part (vector-ref (definition-parts (car definition)) (cdr definition))))
           (and part (cons (car definition) part))))))

;; For each symbol of a unit the part that defines it, or #f. Made once for each object.
(define parts-of-objects (make-table test: eq? weak-keys: #t))

(define (definition-parts unit)
  (let ((object (unit-object unit)))
    (or (table-ref parts-of-objects object #f)
        (let ((parts (make-vector (vector-length (object-symbols object)) #f)))
          (for-each (lambda (part)
                      (if (memq (car (part-what part)) '(label value))
                          (vector-set! parts (cadr (part-what part)) part)))
                    (object-parts object))
          (table-set! parts-of-objects object parts)
          parts))))

;; Whether what a symbol of the unit means takes part in the link. One that nothing defines does not stand in
;; the way.
(define (unit-symbol-live? r unit index)
  (let ((place (defining-part r unit index)))
    (not (and place (table-ref (resolution-dead r) (cdr place) #f)))))

;; Labels of sections that are left out, and what is computed from them.
(define (note-dead! r)
  (let ((users (make-table test: eq?)))    ; a part that defines a symbol -> values that are computed from it
    (define (die! part)
      (if (not (table-ref (resolution-dead r) part #f))
          (begin
            (table-set! (resolution-dead r) part #t)
            (for-each die! (table-ref users part '())))))
    (define (for-each-part kind action)
      (for-each (lambda (unit)
                  (for-each (lambda (part) (if (eq? kind (car (part-what part))) (action unit part)))
                            (object-parts (unit-object unit))))
                (resolution-units r)))
    (for-each-part 'value
      (lambda (unit part)
        (for-each (lambda (index)
                    (let ((place (defining-part r unit index)))
                      (if place
                          (table-set! users (cdr place) (cons part (table-ref users (cdr place) '()))))))
                  (append-map expression-symbols (part-expressions part)))))
    (for-each-part 'label
      (lambda (unit part) (if (not (section-live? unit (part-section part))) (die! part))))))

;; Leaves those sections that the entry or a section to keep reaches. An assertion asks, but needs nothing.
(define (drop-unreferenced! r)
  (let ((references (make-table test: eq?))   ; unit -> for each section, the symbols that it names
        (met (make-table test: equal?)))      ; (unit number . symbol) that were followed
    (define (unit-references unit)
      (or (table-ref references unit #f)
          (let ((found (make-vector (vector-length (object-sections (unit-object unit))) '())))
            (for-each
             (lambda (part)
               (if (and (part-deferred? part) (not (equal? ".assert" (cadr (part-what part)))))
                   (vector-set! found (part-section part)
                                (append (append-map expression-symbols (part-expressions part))
                                        (vector-ref found (part-section part))))))
             (object-parts (unit-object unit)))
            (table-set! references unit found)
            found)))
    (define numbers
      (let ((table (make-table test: eq?)))
        (for-each (lambda (unit) (table-set! table unit (table-length table))) (resolution-units r))
        table))
    (define (reach-section! unit index)
      (if (not (section-live? unit index))
          (begin
            (vector-set! (unit-live unit) index #t)
            (for-each (lambda (symbol) (reach-symbol! unit symbol))
                      (vector-ref (unit-references unit) index)))))
    (define (reach-symbol! unit index)
      (let ((key (cons (table-ref numbers unit) index)))
        (if (not (table-ref met key #f))
            (let ((place (defining-part r unit index)))
              (table-set! met key #t)
              (if place
                  (begin
                    (if (eq? 'label (car (part-what (cdr place))))
                        (reach-section! (car place) (part-section (cdr place))))
                    (for-each (lambda (other) (reach-symbol! (car place) other))
                              (append-map expression-symbols (part-expressions (cdr place))))))))))
    (define (for-each-section action)
      (for-each (lambda (unit)
                  (for-each (lambda (index)
                              (action unit index (vector-ref (object-sections (unit-object unit)) index)))
                            (iota (vector-length (unit-live unit)))))
                (resolution-units r)))
    (for-each-section (lambda (unit index section) (vector-set! (unit-live unit) index #f)))
    (for-each
     (lambda (unit)
       (let ((entries (filter entry-part? (object-parts (unit-object unit)))))
         (for-each (lambda (index) (reach-symbol! unit index))
                   (append-map expression-symbols (append-map part-expressions entries)))))
     (resolution-units r))
    (for-each-section (lambda (unit index section)
                        (if (object-section-keep? section) (reach-section! unit index))))
    (reach-entry! r reach-symbol! for-each-section reach-section!)
    (note-dead! r)))

;; Without an entry a program begins where .text does.
(define (reach-entry! r reach-symbol! for-each-section reach-section!)
  (let* ((name (resolution-entry r))
         (visible (and name (definition-of r name))))
    (cond (visible (reach-symbol! (car visible) (cdr visible)))
          (name
           (for-each
            (lambda (unit)
              (for-each-symbol
               (lambda (symbol index)
                 (if (and (object-symbol-defined? symbol) (string=? name (object-symbol-name symbol)))
                     (reach-symbol! unit index)))
               (unit-object unit)))
            (resolution-units r)))
          ((not (any-entry? r))
           (let ((reached? #f))
             (for-each-section
              (lambda (unit index section)
                (if (and (not reached?) (string=? ".text" (object-section-name section)))
                    (begin
                      (set! reached? #t)
                      (reach-section! unit index))))))))))

;; ---- mistakes ----------------------------------------------------------------------------------------

(define (symbol-place unit symbol)
  (let ((file (object-symbol-file symbol)) (line (object-symbol-line symbol)))
    (text (if (= 0 line) (text file " (command line)") (place->text file line (object-symbol-column symbol)))
          ", in " (object-name (unit-object unit)))))

(define (definition-place definition)
  (symbol-place (car definition) (definition-symbol definition)))

;; One for each name with two definitions that both count.
(define (duplicate-diagnostics r)
  (filter-map
   (lambda (entry)
     (let ((strong (filter strong? (cdr entry))))
       (and (pair? strong)
            (pair? (cdr strong))
            (let ((symbol (definition-symbol (cadr strong))))
              (make-asm-diagnostic
               (object-symbol-file symbol) (object-symbol-line symbol) (object-symbol-column symbol)
               (text "the label `" (car entry)
                     "` is defined already; one of them can be .weak or not .global")
               (cons (text "first defined in " (definition-place (car strong)))
                     (map (lambda (definition) (text "defined again in " (definition-place definition)))
                          (cddr strong)))
               #f)))))
   (sort (table->list (resolution-definitions r)) (lambda (x y) (string<? (car x) (car y))))))

;; One for each name that nothing defines, with all places that use it; for as many as are shown.
(define (undefined-diagnostics r)
  (let ((missing (make-table test: equal?))   ; name -> places, reversed: (file line column unit)
        (noted (make-table test: equal?))     ; places with their names
        (names '()))
    (define (note! unit index file line column)
      (let* ((symbol (vector-ref (object-symbols (unit-object unit)) index))
             (name (object-symbol-name symbol)))
        (if (and (needs-definition? symbol) (not (definition-of r name)))
            (let ((places (table-ref missing name '()))
                  (key (list name file line column (object-name (unit-object unit)))))
              (if (null? places) (set! names (cons name names)))
              (if (not (table-ref noted key #f))
                  (begin
                    (table-set! noted key #t)
                    (table-set! missing name (cons (list file line column unit) places))))))))
    (for-each
     (lambda (unit)
       (let ((file #f) (line 0) (column 0))
         (for-each
          (lambda (part)
            (let ((what (part-what part)))
              (if (eq? 'statement (car what))
                  (begin
                    (set! file (cadr what))
                    (set! line (caddr what))
                    (set! column (cadddr what))))
              (if (section-live? unit (part-section part))
                  (for-each
                   (lambda (index)
                     (if (part-deferred? part)
                         (note! unit index file (list-ref what 3) (list-ref what 4))
                         (note! unit index file line column)))
                   (append-map expression-symbols (part-expressions part))))))
          (object-parts (unit-object unit)))))
     (resolution-units r))
    (map (lambda (name) (undefined-diagnostic r name (reverse (table-ref missing name))))
         (take-at-most (reverse names) asm-diagnostic-limit))))

(define (undefined-diagnostic r name places)
  (let ((place (car places))
        (hidden (local-places r name)))
    (make-asm-diagnostic
     (car place) (cadr place) (caddr place)
     (text "the label `" name "` is not defined in any object"
           (if (pair? hidden) "" (did-you-mean name (visible-names r))))
     (append
      (map (lambda (place)
             (text "also used in " (place->text (car place) (cadr place) (caddr place)) ", in "
                   (object-name (unit-object (cadddr place)))))
           (cdr places))
      (map (lambda (place) (text "there is one in " place ", where `.global " name "` is missing")) hidden))
     #f)))

(define (visible-names r)
  (map car (table->list (resolution-definitions r))))

;; Where other objects have the name for themselves.
(define (local-places r name)
  (append-map
   (lambda (unit)
     (filter-map (lambda (symbol)
                   (and (object-symbol-defined? symbol)
                        (not (object-symbol-hidden? symbol))
                        (string=? name (object-symbol-name symbol))
                        (symbol-place unit symbol)))
                 (vector->list (object-symbols (unit-object unit)))))
   (resolution-units r)))
