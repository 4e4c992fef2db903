;; Images without what only people look at, objects without what linking does not need.
;;
;;   (write-file-bytes "hello.img" (binary-strip "hello.img"))
(module asm/binary/strip)
(use scheme-lib/util)
(use scheme-lib/image)
(use vm-ext/gambit/vm)
(use asm/expression)
(use asm/object)
(use asm/object-write)
(use asm/archive)
(use asm/binary/parts)
(declare (block))

(define-documented (binary-strip what #!key (name "binary"))
  "The bytes of WHAT, whatever ->binary takes, stripped. An image loses its symbols, source lines, expansions and
views; what it does stays the same. An object loses source lines, expansions, views, symbols of its own that nothing
in it uses, and the names of those that something uses, but for _start and main; it links to the same bytes as
before. Of an archive, every member is stripped."
  (let* ((name (if (string? what) what name)) (binary (->binary what name: name)))
    (if (archive? binary)
        (archive->bytes
         (make-archive name
                       (map (lambda (member part) (make-member (member-name member) (stripped (cdr part))))
                            (archive-members binary)
                            (binary-parts binary))))
        (stripped binary))))

(define (stripped part)
  (if (vm-image? part) (image->bytes (stripped-image part)) (object->bytes (stripped-object part))))

(define (stripped-image image)
  (let ((bare (vm-image-new)))
    (for-each (lambda (section) (apply vm-image-add-section bare (vector->list section))) (image-sections image))
    (for-each (lambda (name) (vm-image-add-import bare name)) (image-imports image))
    (for-each (lambda (row)
                (vm-image-add-instruction bare (symbol->string (vector-ref row 0)) (vector-ref row 1)
                                          (vector-ref row 2) (vector-ref row 3) (vector-ref row 4)))
              (image-definitions image))
    (vm-image-set-entry bare (image-entry image))
    bare))

;; ---- objects -----------------------------------------------------------------------------------------

;; What a program without .entry begins with is looked for among the symbols of objects' own, too.
(define entry-names '("_start" "main"))

(define (stripped-object object)
  (let* ((needed (needed-symbols object))
         (indices (make-table test: eqv?))    ; of symbols that stay: index before -> index
         (symbols (filter (lambda (index) (vector-ref needed index))
                          (iota (vector-length needed))))
         (rename (lambda (index) (table-ref indices index))))
    (for-each (lambda (index) (table-set! indices index (table-length indices))) symbols)
    (make-object (object-name object)
                 (object-sections object)
                 (list->vector (map (lambda (index number)
                                      (stripped-symbol (vector-ref (object-symbols object) index) number))
                                    symbols
                                    (iota (length symbols))))
                 (without-empty-statements
                  (filter-map (lambda (part) (stripped-part part needed rename)) (object-parts object)))
                 (object-definitions object))))

(define (own-name? symbol)
  (and (eq? 'local (object-symbol-binding symbol))
       (not (member (object-symbol-name symbol) entry-names))))

(define (stripped-symbol symbol number)
  (if (own-name? symbol)
      (make-object-symbol (text ".L" number) 'local #t #t
                          (object-symbol-file symbol) (object-symbol-line symbol) (object-symbol-column symbol))
      symbol))

;; For each symbol, whether it stays: others see it, or something that stays uses it.
(define (needed-symbols object)
  (let* ((symbols (object-symbols object))
         (needed (make-vector (vector-length symbols) #f))
         (values (make-vector (vector-length symbols) '())))    ; for each symbol, the parts that give its value
    (define (need! index)
      (if (not (vector-ref needed index))
          (begin
            (vector-set! needed index #t)
            (for-each need-all! (vector-ref values index)))))
    (define (need-all! part)
      (for-each need! (append-map expression-symbols (part-expressions part))))
    (for-each (lambda (part)
                (if (eq? 'value (car (part-what part)))
                    (let ((index (cadr (part-what part))))
                      (vector-set! values index (cons part (vector-ref values index))))))
              (object-parts object))
    (for-each (lambda (index) (if (not (own-name? (vector-ref symbols index))) (need! index)))
              (iota (vector-length symbols)))
    (for-each (lambda (part) (if (not (eq? 'value (car (part-what part)))) (need-all! part)))
              (object-parts object))
    needed))

;; #f for one that goes.
(define (stripped-part part needed rename)
  (let ((what (part-what part)))
    (define (with what) (make-part (part-section part) (part-offset part) (part-length part) what))
    (define (renamed x) (expression-with-keys x rename))
    (case (car what)
      ((run made view) #f)
      ((statement) (with (append (take-at-most what 4) '(#f))))
      ((label) (and (vector-ref needed (cadr what)) (with (list 'label (rename (cadr what))))))
      ((value)
       (and (vector-ref needed (cadr what))
            (with (list 'value (rename (cadr what)) (renamed (caddr what)) (cadddr what)))))
      ((instruction directive)
       (with (append (list (car what) (cadr what) (map renamed (caddr what))) (cdddr what))))
      ((entry) (with (list 'entry (renamed (cadr what)))))
      (else part))))

;; A statement is there for the parts behind it, up to the next one.
(define (without-empty-statements parts)
  (define (statement? part) (eq? 'statement (car (part-what part))))
  (let loop ((parts parts) (kept '()))
    (cond ((null? parts) (reverse kept))
          ((and (statement? (car parts)) (or (null? (cdr parts)) (statement? (cadr parts))))
           (loop (cdr parts) kept))
          (else (loop (cdr parts) (cons (car parts) kept))))))
