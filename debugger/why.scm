;; Where a value came from: the chain of instructions that made it, through registers and memory.
;;
;;   (display (why->text (why 'r5)))
;;   (write-file-text "r5.dot" (why->graphviz (why 'r5)))    ; dot -Tsvg r5.dot
;;
;; Followed is the value: of a load what memory held, of a store what was stored; and where that is asked for, what the
;; address was made from, too. The chain ends at constants, host calls, and what the program was loaded with.

(module debugger/why)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/value)
(use debugger/timeline)
(use debugger/search)
(use debugger/questions)

;; One value and how it came about. count: of the instruction that made it, #f where it was there before all;
;; instruction: its text; sources: the whys of what it was made from, or #f where the limit was reached.
(define-type why
  constructor: make-why
  count address instruction place value sources addresses)

;; ---- what an instruction reads ---------------------------------------------------------------------

;; The registers whose values go into the result, as indexes into its operands.
(define (value-operands instruction)
  (let* ((name (symbol->string (instruction-name instruction)))
         (kinds (string->list (instruction-operands instruction)))
         (of-kinds (lambda (wanted)
                     (filter (lambda (i) (memv (list-ref kinds i) wanted)) (iota (length kinds))))))
    (cond ((string-prefix? "stx" name) '(2))
          ((or (string-prefix? "st" name) (string-prefix? "ast" name)) '(1))
          ((or (string-prefix? "ld" name) (string-prefix? "ald" name)
               (member name '("bcopy" "jal" "jalr" "brz" "call" "callr" "hcall")))
           '())
          ((string=? name "bfill") '(1))
          ((reads-memory? name) '(2)) ; atomics
          (else (of-kinds '(#\s #\x))))))

;; Those whose values say where in memory it reads or writes.
(define (address-operands instruction)
  (let ((name (symbol->string (instruction-name instruction))) (values (value-operands instruction)))
    (if (or (reads-memory? name) (any (lambda (stem) (string-prefix? stem name)) '("st" "ast" "bcopy" "bfill")))
        (filter (lambda (i)
                  (and (memv (string-ref (instruction-operands instruction) i) '(#\s #\x)) (not (memv i values))))
                (iota (string-length (instruction-operands instruction))))
        '())))

(define (reads-memory? name)
  (or (string-prefix? "ld" name) (string-prefix? "ald" name)
      (any (lambda (stem) (any (lambda (size) (string=? name (text stem size))) '(8 16 32 64)))
           '("aadd" "aand" "aor" "axor" "aswap" "acas"))))

;; The registers that operands name: ((place-text . location) …).
(define (operand-registers instruction operands)
  (filter-map
   (lambda (i)
     (let ((number (list-ref (instruction-fields instruction) i)))
       (and (> number 0) (located (text "r" number)))))
   operands))

;; What an instruction's result at `event` was made from, likewise. The machine stands before the instruction.
(define (sources-of instruction event)
  (append
   (operand-registers instruction (value-operands instruction))
   (case (instruction-name instruction)
     ((tget) (list (located (text "t" (cadr (instruction-fields instruction))))))
     ((bcopy) (copied-from instruction event))
     (else (if (reads-memory? (symbol->string (instruction-name instruction))) (memory-read) '())))))

(define (located word) (cons word (word->location word)))

(define (memory-text address length)
  (text "[" (address-text address) (case length ((8) "") ((1) ", 1 byte") (else (text ", " length " bytes"))) "]"))

(define (memory-located address length)
  (cons (memory-text address length)
        (word->location (number->string address) length)))

(define (copied-from instruction event)
  (let ((register (lambda (i) (target-register (text "r" (list-ref (instruction-fields instruction) i))))))
    (list (memory-located (u64 (+ (register 1) (- (event-place event) (register 0)))) (min 8 (event-length event))))))

;; The memory that the instruction at the pc reads.
(define (memory-read)
  (let ((observation (make-observation '((read)))))
    (machine-observe! (the-machine) observation 1 every-thread)
    (map (lambda (event) (memory-located (event-place event) (event-length event))) (observation-events observation))))

;; The instruction as text; of a host call, which it is and what it reads.
(define (instruction-as-told instruction)
  (if (eq? (instruction-name instruction) 'hcall)
      (let* ((fields (instruction-fields instruction))
             (argument (lambda (n) (target-register (text "r" (+ (car fields) n)))))
             (name (or (machine-host-call-name (the-machine) (cadr fields)) "unknown")))
        (text (instruction-text instruction) " (" name
              (cond ((string=? name "read") (text ", " (stream-text (argument 1))))
                    ((string=? name "arg") (text ", argument " (argument 1) " of the program"))
                    (else ""))
              ")"))
      (instruction-text instruction)))

(define (stream-text number) (if (= number 0) "standard input" (text "stream " number)))

;; ---- the chain -------------------------------------------------------------------------------------

(define-documented (why what #!optional (limit 20) (length #f) (addresses? #f))
  "Where the value of a register ('r5) or of LENGTH bytes of memory came from, as a tree of records: why-count
(instructions before the one that made it; #f: it was there from the start), why-address, why-instruction (its
text), why-place, why-value, why-sources (the whys of what it was made from; #f where LIMIT instructions were
reached). With ADDRESSES?, why-addresses are the whys of the registers that said where in memory it was read or
written. why->text and why->graphviz show it."
  (let ((location (word->location what length)) (place (if (string? what) what (written what)))
        (value (let ((word (if (string? what) what (written what))))
                 (if (register-word? word) (target-register word) #f)))
        (limit-count (target-count)) (known (make-table)) (left limit))
    ;; The whys of a place as it was at a count: several where its bytes were written apart.
    (define (explain place location count value)
      (let ((event (last-change-of location count)))
        (if (not event)
            (list (make-why #f #f #f place (or value (value-before location count)) '() '()))
            (cons (node (if (eq? (event-kind event) 'write) (memory-text (event-place event) (event-length event)) place)
                        event)
                  (append-map (lambda (part) (explain (car part) (cdr part) count #f)) (other-parts location event))))))
    (define (node place event)
      (or (table-ref known (cons (event-count event) place) #f)
          (let ((made (begin
                        (timeline-goto! (event-count event))
                        (let ((instruction (target-instruction (event-pc event))))
                          (make-why (event-count event) (event-pc event) (instruction-as-told instruction) place
                                    (event-after event) #f '())))))
            (table-set! known (cons (event-count event) place) made)
            (if (> left 0)
                (begin
                  (set! left (- left 1))
                  (let* ((instruction (target-instruction (event-pc event)))
                         (addressed (if addresses? (operand-registers instruction (address-operands instruction)) '()))
                         (whys (lambda (places)
                                 (append-map (lambda (source) (explain (car source) (cdr source) (event-count event) #f))
                                             places))))
                    (why-sources-set! made (whys (sources-of instruction event)))
                    (why-addresses-set! made (whys addressed)))))
            made)))
    (let ((found (call-and-come-back (lambda () (explain place location limit-count value)))))
      (if (null? (cdr found))
          (car found)
          (make-why #f #f #f place #f found '())))))

;; The bytes of a range that an event did not write.
(define (other-parts location event)
  (if (not (eq? (event-kind event) 'write))
      '()
      (let* ((begin (location-begin location)) (end (+ begin (location-size location)))
             (from (event-place event)) (to (+ from (event-length event))))
        (append (if (< begin from) (list (memory-located begin (- from begin))) '())
                (if (< to end) (list (memory-located to (- end to))) '())))))

(define (value-before location count)
  (timeline-goto! count)
  (case (location-kind location)
    ((memory) (u8vector->number (target-read-prefix (location-begin location) (min 8 (location-size location)))))
    ((thread-register) (target-register (text "t" (location-begin location))))
    (else
     (let ((number (- (location-begin location) (target-window))))
       (if (>= number 0) (target-register (text "r" number)) 0)))))

;; ---- as text ---------------------------------------------------------------------------------------

(define (value-text value) (if value (number->hex value) "bytes of several origins"))

(define (why-title why) (text (why-place why) " = " (value-text (why-value why))))

(define (why-line why)
  (text (why-title why)
        (cond ((why-count why)
               (text "  by " (why-instruction why) "  at " (why-count why) ", " (address-text (why-address why))
                     (let ((line (line-at (why-address why))))
                       (if line (text ", " (place-file line) ":" (place-line line)) ""))))
              ((why-value why) "  from the start")
              (else ""))))

(define-documented (why->text why)
  "A why as lines, what a value was made from indented below it."
  (let ((seen '()))
    (call-with-output-string
     (lambda (port)
       (let show ((why why) (depth 0) (kind ""))
         (let ((again? (memq why seen)))
           (display (text (string-repeat "  " depth) kind (why-line why)
                          (cond (again? " (as above)") ((not (why-sources why)) "  and so on") (else ""))
                          "\n")
                    port)
           (if (not again?)
               (begin
                 (set! seen (cons why seen))
                 (for-each (lambda (source) (show source (+ depth 1) "")) (or (why-sources why) '()))
                 (for-each (lambda (source) (show source (+ depth 1) "address: ")) (why-addresses why))))))))))

(define-documented (why->graphviz why)
  "A why as a graph for Graphviz: dot -Tsvg makes a picture of it. Where addresses came from is dashed."
  (let ((names '()) (lines '()))
    (define (line! . parts) (set! lines (cons (apply text parts) lines)))
    (define (quoted text) (written text))
    (define (visit why)
      (let ((known (assq why names)))
        (if known
            (cdr known)
            (let ((name (text "n" (length names))))
              (set! names (cons (cons why name) names))
              (line! "  " name " [label=" (quoted (why-line why)) "];")
              (for-each (lambda (source) (line! "  " (visit source) " -> " name ";")) (or (why-sources why) '()))
              (for-each (lambda (source) (line! "  " (visit source) " -> " name " [style=dashed];")) (why-addresses why))
              name))))
    (visit why)
    (text "digraph why {\n  node [shape=box, fontname=monospace];\n" (string-join (reverse lines) "\n") "\n}\n")))
