;; What an image tells of a C program's variables: a symbol and a view for each that has an address, a view for each
;; structure, and for each function a frame, which is a view as well, see debugger/README.md.
;;
;;   (define variables (module-variables layout))      before the bodies are compiled
;;   (note-boundaries! layout variables)
;;   (add-variables! image layout variables function-names add-symbol!)
;;
;; Where in the compiled code an offset of the module is, the source lines tell: at each offset that matters begins a row.
(module scheme-lib/loaders/wasm/debug-image)
(use scheme-lib/util)
(use scheme-lib/view-text)
(use vm-ext/gambit/vm)
(use scheme-lib/loaders/wasm/cursor)
(use scheme-lib/loaders/wasm/code)
(use scheme-lib/loaders/wasm/module)
(use scheme-lib/loaders/wasm/layout)
(use scheme-lib/loaders/wasm/dwarf)
(use scheme-lib/loaders/wasm/debug-types)
(use scheme-lib/loaders/wasm/debug-variables)
(use scheme-lib/loaders/wasm/operands)
(declare (standard-bindings) (extended-bindings) (block))

(define (module-variables layout)
  (let ((globals (layout-globals layout)))
    (read-variables (layout-module layout) (layout-memory layout)
                    (lambda (index)
                      (and (< index (vector-length globals))
                           (let ((place (vector-ref globals index)))
                             (case (place-kind place)
                               ((register) (string->symbol (text "t" (place-value place))))
                               ((constant) (and (integer? (place-value place)) (place-value place)))
                               (else #f))))))))

(define (note-boundaries! layout variables)
  (layout-operands-set! layout (make-operands (variables-operands variables)))
  (layout-rows-set! layout (rows-with (module-rows (layout-module layout)) (variables-boundaries variables))))

;; ---- from the module's offsets to addresses ------------------------------------------------------------

;; #(offset address row) for each row that code was made for, in order.
(define (row-places layout)
  (let ((code (layout-code layout)))
    (list->vector
     (filter-map (lambda (entry)
                   (and (> (row-offset (cdr entry)) 0)
                        (vector (row-offset (cdr entry)) (+ (code-base code) (car entry)) (cdr entry))))
                 (reverse (code-lines code))))))

;; The number of the first for which the procedure holds, of those from low to high; high if it does for none.
(define (first-index low high holds?)
  (if (= low high)
      high
      (let ((middle (quotient (+ low high) 2)))
        (if (holds? middle) (first-index low middle holds?) (first-index (+ middle 1) high holds?)))))

;; The address of the code for what is at an offset or behind it.
(define (address-of-offset places offset end)
  (let* ((n (vector-length places))
         (index (first-index 0 n (lambda (i) (>= (vector-ref (vector-ref places i) 0) offset)))))
    (if (< index n) (vector-ref (vector-ref places index) 1) end)))

;; Where the second line of a function begins: there its arguments are where they stay.
(define (address-behind-prologue places start)
  (let* ((n (vector-length places))
         (first (first-index 0 n (lambda (i) (>= (vector-ref (vector-ref places i) 1) start)))))
    (define (row i) (vector-ref (vector-ref places i) 2))
    (let loop ((i first))
      (cond ((>= i n) start)
            ((and (= (row-line (row i)) (row-line (row first))) (= (row-column (row i)) (row-column (row first))))
             (loop (+ i 1)))
            (else (vector-ref (vector-ref places i) 1))))))

;; ---- frames ----------------------------------------------------------------------------------------------

(define longest 65535)

(define (stack-place? place) (and (pair? place) (eq? 'at (car place)) (any symbol? (cdr place))))

;; The text of (frame (NAME VIEW FROM TO (FROM TO PLACE) …) …), as much of it as an image takes. view-text: of a view.
(define (frame-text frame places start end view-text)
  (let ((behind-prologue (address-behind-prologue places start)))
    (define (distance offset) (- (address-of-offset places offset end) start))
    ;; #f where it never was in a register
    (define (place-row row)
      (let ((place (known-place (cddr row))))
        (and place
             (let ((low (place-from (cddr row) (address-of-offset places (car row) end))))
               (list (- (if (stack-place? place) (max low behind-prologue) low) start) (distance (cadr row)) place)))))
    ;; #f where it is nowhere in scope
    (define (local-text local)
      (let ((low (distance (local-low local))) (high (distance (local-high local))))
        (and (< low high)
             (view->text (cons* (view-word (local-name local)) (view-text (local-view local)) low high
                                (filter (lambda (row) (< (car row) (cadr row)))
                                        (filter-map place-row (local-places local))))))))
    (let loop ((texts (filter-map local-text (frame-locals frame))) (length (string-length "(frame)")) (parts '("(frame")))
      (let ((length (if (pair? texts) (+ length 1 (string-length (car texts))) 0)))
        (if (and (pair? texts) (<= length longest))
            (loop (cdr texts) length (cons* (car texts) " " parts))
            (string-join (reverse (cons ")" parts)) ""))))))

;; ---- the image ---------------------------------------------------------------------------------------------

;; function-names: a vector, #f for a function without a symbol; (add-symbol! name address) gives the name that the
;; symbol got, or #f.
(define (add-variables! image layout variables function-names add-symbol!)
  (let* ((m (layout-module layout)) (code (layout-code layout)) (places (row-places layout)) (views (make-table))
         (texts (make-table test: eq?))
         (end (+ (code-base code) (code-at code))) (imported (length (module-imported m 'function)))
         (functions (list->table (map (lambda (body index) (cons (cursor-end body) (+ imported index)))
                                      (vector->list (module-bodies m)) (iota (vector-length (module-bodies m)))))))
    (define (add-view! name description)
      (if (and name (<= (string-length description) longest) (not (table-ref views name #f)))
          (table-set! views name description)))
    (define (view-text view)
      (or (table-ref texts view #f) (let ((text (view->text view))) (table-set! texts view text) text)))
    (for-each (lambda (variable)
                (let ((name (add-symbol! (global-variable-name variable)
                                         (+ (layout-memory layout) (global-variable-address variable)))))
                  (add-view! name (view->text (global-variable-view variable)))))
              (variables-globals variables))
    (for-each (lambda (frame)
                (let ((index (table-ref functions (frame-end frame) #f)))
                  (if index
                      (add-view! (vector-ref function-names index)
                                 (frame-text frame places
                                             (label-address code (vector-ref (layout-functions layout) index)) end
                                             view-text)))))
              (variables-frames variables))
    (for-each (lambda (view) (add-view! (car view) (view->text (cdr view)))) (variables-views variables))
    (for-each (lambda (view) (vm-image-add-view image (car view) (cdr view)))
              (sort (table->list views) (lambda (a b) (string<? (car a) (car b)))))))
