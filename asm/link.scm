;; Objects and archives to programs.
;;
;;   (define l (link (list (asm-object-file "main.s") (linker-input "lib.a"))))
;;   (program-write-image (link-program l) "main.img")
;;
;; The linker is the assembler once more: the parts of the objects become statements, and passes go over
;; them until nothing moves. So what is linked has the bytes that one assembly of all the sources would have.
(module asm/link)
(use scheme-lib/util)
(use asm/number)
(use asm/diagnostic)
(use asm/statement)
(use asm/isa)
(use asm/expression)
(use asm/define)
(use asm/assembly)
(use asm/value)
(use asm/directives)
(use asm/files)
(use asm/passes)
(use asm/tables)
(use asm/program)
(use asm/object)
(use asm/object-format)
(use asm/object-read)
(use asm/archive)
(use asm/resolve)
(declare (standard-bindings) (extended-bindings) (block))

(define-type link-result
  program
  contributions   ; in the order of addresses
  dropped         ; pairs of an object's name and a section's
  extracted)      ; members of archives: lists of the member's name, the symbol, and who needed it (or #f)

(define (link-program result) (link-result-program result))
(define (link-contributions result) (link-result-contributions result))
(define (link-dropped result) (link-result-dropped result))
(define (link-extracted result) (link-result-extracted result))

;; What an object put into a section.
(define-type contribution object section address length)

;; An object or archive from a file.
(define (linker-input path)
  (let ((bytes (bytes-of-input path)))
    (cond ((object-bytes? bytes) (bytes->object bytes path))
          ((archive-bytes? bytes) (bytes->archive bytes path))
          (else
           (raise (mistake path (text "this is neither an object nor an archive; "
                                      "comet-vm asm -c makes objects of sources")))))))

(define (bytes-of-input path)
  (with-exception-catcher
   (lambda (exception)
     (raise (if (problem? exception) (mistake path (problem-message exception)) exception)))
   (lambda () (source-bytes path))))

(define (mistake name message . notes)
  (make-asm-error (list (make-asm-diagnostic name 0 0 message notes #f))))

;; ---- linking -----------------------------------------------------------------------------------------

;; inputs: objects and archives. entry: a symbol's name; drop?: leave out sections that nothing needs.
(define (link inputs #!key (entry #f) (drop? #f) (name "program"))
  (if (null? inputs) (raise (mistake name "there is nothing to link")))
  (let ((r (resolve inputs entry)))
    (if drop? (drop-unreferenced! r))
    (refuse-if-any (append (duplicate-diagnostics r) (undefined-diagnostics r)))
    (check-definitions r)
    (let* ((texts (map (lambda (unit) (unit-text r unit drop?)) (resolution-units r)))
           (statements (append-map linked-statements texts))
           (source (make-source (make-source-file name #f '()) (list->vector statements) '() '() '() '()))
           (weak (undefined-weak-keys r)))
      (assemble-statements source 'link program-base (lambda (key) (table-ref weak key #f)) '() '()
        (lambda (a) (finish a name r texts))))))

;; Instructions that two objects define are the same.
(define (check-definitions r)
  (let ((met '()))
    (for-each
     (lambda (unit)
       (for-each
        (lambda (definition)
          (let ((other (find (lambda (other)
                               (or (string=? (definition-name (car other)) (definition-name definition))
                                   (eqv? (definition-opcode (car other)) (definition-opcode definition))))
                             met)))
            (cond ((not other) (set! met (cons (cons definition unit) met)))
                  ((not (same-definition? (car other) definition))
                   (raise (mistake (object-name (unit-object unit))
                                   (text "the instruction `" (definition-name definition) "` (opcode "
                                         (definition-opcode definition) ") is another one than in "
                                         (object-name (unit-object (cdr other)))
                                         ": all objects of a program need the same")))))))
        (object-definitions (unit-object unit))))
     (resolution-units r))))

(define (same-definition? x y)
  (and (string=? (definition-name x) (definition-name y))
       (eqv? (definition-opcode x) (definition-opcode y))
       (string=? (definition-kinds x) (definition-kinds y))
       (equal? (definition-body x) (definition-body y))))

(define (refuse-if-any diagnostics)
  (if (pair? diagnostics) (raise (make-asm-error (take-at-most diagnostics asm-diagnostic-limit)))))

;; ---- objects to statements ---------------------------------------------------------------------------

;; What became of a unit.
(define-type linked
  unit
  statements
  lines      ; pairs of a procedure that gives the address of a part, and the part, which begins lines
  bounds)    ; for each section that takes part: its number, and the keys of labels at both ends

;; A part that says where in the source the next ones are, a statement or a run, and these.
(define-type group part parts)

(define (object-groups object)
  (let loop ((parts (object-parts object)) (group #f) (inside '()) (groups '()))
    (define (with-last)
      (if group (cons (make-group group (reverse inside)) groups) groups))
    (cond ((null? parts) (reverse (with-last)))
          ((memq (car (part-what (car parts))) '(statement run)) (loop (cdr parts) (car parts) '() (with-last)))
          (else (loop (cdr parts) group (cons (car parts) inside) groups)))))

(define (unit-text r unit drop?)
  (let* ((object (unit-object unit))
         (sections (object-sections object))
         (live (filter (lambda (index) (section-live? unit index)) (iota (vector-length sections))))
         (reached (make-vector (vector-length sections) 0))      ; bytes of each section that were taken
         (pending (make-vector (vector-length sections) '()))    ; parts that begin lines of bytes that were not
         (bounds (map (lambda (index)
                        (list index (string->uninterned-symbol "begin") (string->uninterned-symbol "end")))
                      live))
         (file-of (source-file-maker))
         (current #f)                                            ; the section where the next statement stands
         (statements '())
         (lines '()))
    (define (add! file line column actions)
      (let ((statement (make-statement 'actions (file-of file) line column "" actions '() #f 0)))
        (set! statements (cons statement statements))
        statement))
    (define (add-own! . actions) (add! (object-name object) 0 0 actions))
    (define (switch! index)
      (if (not (eqv? index current))
          (begin
            (set! current index)
            (add-own! (section-switch (vector-ref sections index))))))
    (define (add-line! where part)
      (set! lines (cons (cons where part) lines)))
    ;; A line that begins where the action comes by.
    (define (mark-line! part)
      (let ((mark (make-mark #f 0)))
        (add-line! (lambda () (mark-address mark)) part)
        (lambda (a) (mark! mark a))))
    ;; The bytes before an offset that were not taken yet, as an action in a list, or none.
    (define (bytes-before index offset)
      (let ((start (vector-ref reached index)))
        (vector-set! reached index (max start offset))
        (if (< start offset) (list (section-bytes-between (vector-ref sections index) start offset)) '())))
    ;; The bytes before an offset, with their lines.
    (define (take! index offset)
      (let ((start (vector-ref reached index)))
        (if (< start offset)
            (let ((statement (begin
                               (switch! index)
                               (apply add-own! (bytes-before index offset)))))
              (for-each (lambda (part) (add-line! (behind statement (- (part-offset part) start)) part))
                        (reverse (vector-ref pending index)))
              (vector-set! pending index '())))))
    (define (add-group! group)
      (let* ((part (group-part group))
             (place (take-at-most (cdr (part-what part)) 3))
             (index (part-section part))
             (parts (filter (lambda (part) (part-takes-part? r unit part drop?)) (group-parts group))))
        (define (add-actions! actions)
          (apply add! (append place (list (reverse actions)))))
        (define (postpone! part)
          (let ((index (part-section part)))
            (vector-set! pending index (cons part (vector-ref pending index)))))
        (cond ((any (lambda (part) (not (eq? 'made (car (part-what part))))) parts)
               (if (and index (section-live? unit index))
                   (begin
                     (take! index (part-offset part))
                     (switch! index)))
               (let loop ((parts parts) (actions '()) (line? #t))
                 ;; What was gathered, as a statement.
                 (define (finish!)
                   (if (pair? actions)
                       (let ((statement (add-actions! actions)))
                         (if (and line? index) (add-line! (behind statement 0) part)))))
                 (cond ((null? parts) (finish!))
                       ((not (part-has-place? (car parts)))
                        (loop (cdr parts) (cons (part-action unit (car parts)) actions) line?))
                       ((eqv? current (part-section (car parts)))
                        (let* ((part (car parts))
                               (between (bytes-before current (part-offset part))))
                          (vector-set! reached current (+ (part-offset part) (part-length part)))
                          (loop (cdr parts)
                                (cons (if (eq? 'made (car (part-what part)))
                                          (mark-line! part)
                                          (part-action unit part))
                                      (append between actions))
                                line?)))
                       (else
                        (finish!)
                        (take! (part-section (car parts)) (part-offset (car parts)))
                        (switch! (part-section (car parts)))
                        (loop parts '() (and line? (null? actions)))))))
              (else
               (for-each postpone! (if (and index (section-live? unit index)) (cons part parts) parts))))))
    (for-each
     (lambda (definition)
       (add-own! (lambda (a)
                   (if (not (definition-named (definition-name definition) (assembly-definitions a)))
                       (note-definition! a definition)))))
     (object-definitions object))
    (for-each
     (lambda (bound)
       (switch! (car bound))
       (add-own! (bound-label (cadr bound))))
     bounds)
    (for-each add-group! (object-groups object))
    (for-each
     (lambda (bound)
       (take! (car bound) (object-section-memory-length (vector-ref sections (car bound))))
       (switch! (car bound))
       (add-own! (bound-label (caddr bound))))
     bounds)
    (make-linked unit (reverse statements) (reverse lines) bounds)))

;; The address so many bytes behind the beginning of a statement.
(define (behind statement distance)
  (lambda ()
    (+ (section-base (statement-section statement)) (statement-offset statement) distance)))

;; Where a pass came by last.
(define-type mark (section) (offset))

(define (mark! mark a)
  (mark-section-set! mark (current-section a))
  (mark-offset-set! mark (section-size (current-section a))))

(define (mark-address mark)
  (+ (section-base (mark-section mark)) (mark-offset mark)))

;; One object for each name, because the positions of statements are compared by it.
(define (source-file-maker)
  (let ((files (make-table test: equal?)))
    (lambda (name)
      (or (table-ref files name #f)
          (let ((file (make-source-file name #f '())))
            (table-set! files name file)
            file)))))

(define (part-has-place? part)
  (not (memq (car (part-what part)) '(value import entry view))))

(define (part-takes-part? r unit part drop?)
  (let* ((what (part-what part))
         (defines? (or (not (memq (car what) '(label value))) (unit-defines? r unit (cadr what)))))
    (and defines?
         (or (not drop?)
             (case (car what)
               ((import) #f)
               ((entry view) #t)
               ((value) (every-symbol-live? r unit part))
               (else
                (and (section-live? unit (part-section part))
                     (or (not (equal? ".assert" (cadr what))) (every-symbol-live? r unit part)))))))))

(define (every-symbol-live? r unit part)
  (every (lambda (index) (unit-symbol-live? r unit index))
         (append-map expression-symbols (part-expressions part))))

;; ---- actions -----------------------------------------------------------------------------------------

(define (section-switch section)
  (lambda (a)
    (switch-section! a (object-section-name section) (object-section-protection section)
                     (object-section-address section))))

(define (bound-label key)
  (lambda (a) (define-label-by-key! a key 'bound 0 0)))

;; The bytes of an object's section from one offset to another.
(define (section-bytes-between section start end)
  (let* ((stored (object-section-bytes section))
         (split (max start (min end (u8vector-length stored))))
         (bytes (if (< start split) (subu8vector stored start split) (u8vector)))
         (zeros (- end split)))
    (lambda (a)
      (emit-bytes! a bytes)
      (emit-zeros! a zeros))))

(define (part-action unit part)
  (let* ((what (part-what part))
         (keys (unit-keys unit))
         (symbols (object-symbols (unit-object unit))))
    (define (with-keys x) (expression-with-keys x (lambda (index) (vector-ref keys index))))
    ;; The name by which the symbol is listed; what is hidden is known by another name than its key.
    (define (listed-name index)
      (let ((symbol (vector-ref symbols index)))
        (if (object-symbol-hidden? symbol)
            (string->symbol (object-symbol-name symbol))
            (vector-ref keys index))))
    (define (at-operand action)
      (let ((place (make-name 'operand (list-ref what 3) (list-ref what 4))))
        (lambda (a)
          (assembly-operand-set! a place)
          (action a))))
    (case (car what)
      ((label)
       (let* ((index (cadr what))
              (key (vector-ref keys index))
              (name (listed-name index))
              (symbol (vector-ref symbols index)))
         (lambda (a)
           (define-label-by-key! a key name (object-symbol-line symbol) (object-symbol-column symbol)))))
      ((value)
       (let* ((index (cadr what))
              (key (vector-ref keys index))
              (name (listed-name index))
              (symbol (vector-ref symbols index))
              (value (with-keys (caddr what))))
         (lambda (a)
           (let ((number (if (expression? value) (expression-number a value) value)))
             (if (not (integer-64? number)) (fail "the number " number " does not fit into 64 bits"))
             (define-symbol-by-key! a key name number (cadddr what)
                                    (object-symbol-line symbol) (object-symbol-column symbol))))))
      ((instruction)
       (let ((entry (cadr what))
             (operands (list->vector (map with-keys (caddr what)))))
         (at-operand (lambda (a) (emit-text-instruction! a entry operands)))))
      ((directive)
       (let ((name (cadr what))
             (operands (map (lambda (operand)
                              (if (u8vector? operand) (make-text-literal operand) (with-keys operand)))
                            (caddr what))))
         (at-operand (lambda (a) (run-directive! a name operands)))))
      ((import)
       (lambda (a) (host-value a (cadr what))))
      ((view)
       (lambda (a) (note-view! a (cadr what) (caddr what))))
      ((entry)
       (let ((operands (list (with-keys (cadr what)))))
         (lambda (a) (run-directive! a ".entry" operands)))))))

;; ---- the program -------------------------------------------------------------------------------------

(define (finish a name r texts)
  (let* ((symbols (listed-symbols a))
         (program (make-program-of a name #f symbols
                                   (lambda (action) (for-each-linked-line texts action))
                                   (delay (linked-expansions texts))
                                   (entry-address a r symbols))))
    (make-link-result program
                      (contributions a texts)
                      (dropped-sections r)
                      (map (lambda (extracted)
                             (list (object-name (car extracted)) (cadr extracted)
                                   (and (cddr extracted) (object-name (cddr extracted)))))
                           (resolution-extracted r)))))

(define (entry-address a r symbols)
  (let ((name (resolution-entry r)))
    (cond ((not name) (or (assembly-entry a) (default-entry symbols (sections-with-room a))))
          ((assoc name symbols) => cdr)
          (else
           (raise (mistake "link" (text "the entry `" name "` is not defined"
                                        (did-you-mean name (map car symbols)))))))))

;; Pairs of a name and a value, by value. A program has each name once: of several objects' own symbols of one
;; name the first keeps it, and the others have their source behind it; constants that say the same are one.
(define (listed-symbols a)
  (let ((values (make-table test: equal?)))
    (define (free-name name file n)
      (let ((candidate (text name "@" (path-strip-directory file) (if (= n 1) "" (text "." n)))))
        (if (table-ref values candidate #f) (free-name name file (+ n 1)) candidate)))
    (define (visible? entry)
      (let ((key (symbol-entry-name entry))) (eq? key (string->symbol (symbol->string key)))))
    (define (add! entry)
      (let* ((name (symbol->string (symbol-entry-name entry)))
             (value (u64 (symbol-entry-value entry)))
             (constant? (not (symbol-entry-section entry)))
             (before (table-ref values name #f)))
        (cond ((not before) (table-set! values name (cons value constant?)))
              ((and constant? (equal? before (cons value #t))))
              (else
               (table-set! values (free-name name (source-file-name (symbol-entry-file entry)) 1)
                           (cons value constant?))))))
    (receive (visible own) (partition visible? (assembly-symbol-list a))
      (for-each add! visible)
      (for-each add! own))
    (sort (map (lambda (entry) (cons (car entry) (cadr entry))) (table->list values))
          (lambda (x y) (or (< (cdr x) (cdr y)) (and (= (cdr x) (cdr y)) (string<? (car x) (car y))))))))

;; Does (action file address line column calls) for each line.
(define (for-each-line-and-calls texts action)
  (for-each
   (lambda (text)
     (for-each
      (lambda (line)
        (let ((address ((car line))))
          (part-for-each-line
           (lambda (at file line column calls) (action file (+ address at) line column calls))
           (cdr line))))
      (linked-lines text)))
   texts))

;; As asm/tables gives them of a source.
(define (for-each-linked-line texts action)
  (for-each-line-and-calls texts
    (lambda (file address line column calls) (action file address line column))))

(define (linked-expansions texts)
  (let ((expansions '()))
    (for-each-line-and-calls texts
      (lambda (file address line column calls)
        (for-each (lambda (call) (set! expansions (cons (apply vector address call) expansions))) calls)))
    (by-address (reverse expansions))))

(define (contributions a texts)
  (sort (append-map
         (lambda (text)
           (let ((object (unit-object (linked-unit text))))
             (map (lambda (bound)
                    (let ((section (vector-ref (object-sections object) (car bound)))
                          (begin (symbol-entry-value (symbol-in-pass a (cadr bound))))
                          (end (symbol-entry-value (symbol-in-pass a (caddr bound)))))
                      (make-contribution (object-name object) (object-section-name section)
                                         begin (- end begin))))
                  (linked-bounds text))))
         texts)
        (lambda (x y) (< (contribution-address x) (contribution-address y)))))

(define (dropped-sections r)
  (append-map
   (lambda (unit)
     (let ((object (unit-object unit)))
       (filter-map (lambda (index)
                     (and (not (section-live? unit index))
                          (cons (object-name object)
                                (object-section-name (vector-ref (object-sections object) index)))))
                   (iota (vector-length (object-sections object))))))
   (resolution-units r)))
