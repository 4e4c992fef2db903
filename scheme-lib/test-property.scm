;; Properties: an expression that holds for all inputs. It is tried with many, small ones first; where it does
;; not hold, or raises an error, the inputs are made as simple as can be before they are shown.
;;
;;   (use scheme-lib/generator)
;;   (use scheme-lib/test-property)
;;   (define square (machine-routine machine 'square))
;;   (test-property "squares have no sign" ((n (gen-integer))) (= (square n) (square (- n))))
;;
;; Inputs follow from the seed, the parameter test-seed, and the test's name: the same seed, the same inputs.

(module scheme-lib/test-property)
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/generator)
(declare (block))

;; ---- one try ---------------------------------------------------------------------------------------

;; What the inputs do to the property: #f where it holds or does not apply; else why it fails, a text.
(define (failure property values)
  (with-exception-catcher
   (lambda (exception)
     (if (discarded? exception) #f (text "error: " (exception->text exception))))
   (lambda () (if (apply property values) #f "#f"))))

;; As generate and replay, but #f for inputs that were given up.
(define (unless-discarded thunk)
  (with-exception-catcher
   (lambda (exception) (if (discarded? exception) #f (raise exception)))
   thunk))

;; ---- making inputs simpler -------------------------------------------------------------------------

(define (before? a b)
  (let ((x (abs a)) (y (abs b))) (or (< x y) (and (= x y) (> a b)))))

;; Whether choices are simpler: fewer, or as many and nearer to 0 at the first that differs.
(define (simpler? these those)
  (let ((n (length these)) (m (length those)))
    (or (< n m)
        (and (= n m)
             (let loop ((these these) (those those))
               (and (pair? these)
                    (if (= (car these) (car those))
                        (loop (cdr these) (cdr those))
                        (before? (car these) (car those)))))))))

(define most-replays 2000)

;; found: what generate gave. The simplest chosen that was come to, and why that fails.
(define (shrink generator property found why)
  (let ((left most-replays) (best found) (best-why why))
    ;; Whether these choices still fail; then they are the best so far.
    (define (improves? choices)
      (and (> left 0)
           (let ((chosen (unless-discarded (lambda () (replay generator choices)))))
             (set! left (- left 1))
             (and chosen
                  (simpler? (choices-of chosen) (choices-of best))
                  (let ((why (failure property (chosen-value chosen))))
                    (and why
                         (begin
                           (set! best chosen)
                           (set! best-why why)
                           #t)))))))
    (define (without-span span)
      (let ((choices (choices-of best)))
        (append (take-at-most choices (car span)) (drop-at-most choices (cdr span)))))
    ;; Of spans the long ones first, and those at the end: removing one changes the places of what follows.
    (define (drop-spans)
      (let loop ((spans (sort (filter (lambda (span) (< (car span) (cdr span))) (chosen-spans best))
                              (lambda (a b) (> (- (cdr a) (car a)) (- (cdr b) (car b))))))
                 (any? #f))
        (cond ((null? spans) any?)
              ((improves? (without-span (car spans))) (drop-spans) #t)
              (else (loop (cdr spans) any?)))))
    (define (choice i) (list-ref (choices-of best) i))
    (define (has-choice? i) (< i (length (choices-of best))))
    (define (choice-alone i)
      (lambda (value)
        (append (take-at-most (choices-of best) i) (list value) (drop-at-most (choices-of best) (+ i 1)))))
    ;; With all that are the same: two equal elements often matter because they are.
    (define (choice-and-equals i)
      (lambda (value)
        (let ((old (choice i)))
          (map (lambda (other) (if (= other old) value other)) (choices-of best)))))
    ;; What is left of a choice, which may be none.
    (define (magnitude i) (if (has-choice? i) (abs (choice i)) 0))
    ;; Towards 0 by halves; a negative number is made positive first if that fails as well.
    (define (lower-choice i change)
      (define (improves-with? value) (improves? ((change i) value)))
      (cond ((= (choice i) 0) #f)
            ((improves-with? 0) #t)
            (else
             (let ((positive? (and (< (choice i) 0) (improves-with? (- (choice i))))))
               ;; low does not fail, high does
               (let loop ((low 0) (high (magnitude i)) (any? positive?))
                 (let ((middle (quotient (+ low high) 2)))
                   (cond ((<= (- high low) 1) any?)
                         ((improves-with? (if (< (choice i) 0) (- middle) middle)) (loop low (magnitude i) #t))
                         (else (loop middle high any?)))))))))
    (define (lower-choices change)
      (let loop ((i 0) (any? #f))
        (if (has-choice? i)
            (let ((lower? (lower-choice i change))) (loop (+ i 1) (or lower? any?)))
            any?)))
    (let loop ()
      (let* ((fewer? (drop-spans))
             (lower? (lower-choices choice-alone))
             (together? (lower-choices choice-and-equals)))
        (if (and (or fewer? lower? together?) (> left 0)) (loop))))
    (cons best best-why)))

;; ---- a property ------------------------------------------------------------------------------------

;; Gambit's generator takes pairs of numbers; the name spreads the seed over the tests of a file.
(define (random-integers seed name)
  (let ((source (make-random-source)))
    (random-source-pseudo-randomize! source
                                     (modulo seed (expt 2 31))
                                     (fold (lambda (c sum) (modulo (+ (* 31 sum) (char->integer c)) 1000003))
                                           (quotient seed (expt 2 31))
                                           (string->list name)))
    (random-source-make-integers source)))

(define most-discarded 10)

;; Tries `count` inputs: #f where all hold, else #(inputs why inputs-first tries), the inputs made simple.
;; Gives up where ten times as many were discarded.
(define-documented (find-counterexample generators property count seed name)
  "Looks for values of GENERATORS, a list, for which PROPERTY is #f or raises an error, among COUNT. #f where
there are none, else a vector: the values as simple as was found, what PROPERTY gave for them (a text), the
values met first, and which try that was."
  (let ((generator (lambda () (map (lambda (generator) (generator)) generators)))
        (random-integer (random-integers seed name)))
    (let loop ((n 1) (discarded 0))
      (if (> discarded (* most-discarded count))
          (error (text (- n 1) " of " count " inputs were tried, and " discarded
                       " do not apply: make generators that give what applies")))
      (if (> n count)
          #f
          (let ((chosen (unless-discarded
                         (lambda () (generate generator random-integer (+ 1 (quotient (* 99 n) count)))))))
            (if (not chosen)
                (loop n (+ discarded 1))
                (case (applies property (chosen-value chosen))
                  ((holds) (loop (+ n 1) discarded))
                  ((discarded) (loop n (+ discarded 1)))
                  (else
                   (let ((small (shrink generator property chosen (failure property (chosen-value chosen)))))
                     (vector (chosen-value (car small)) (cdr small) (chosen-value chosen) n))))))))))

(define (applies property values)
  (with-exception-catcher
   (lambda (exception) (if (discarded? exception) 'discarded 'fails))
   (lambda () (if (apply property values) 'holds 'fails))))

(define (inputs-text names values)
  (string-join (map (lambda (name value) (text name " = " (written value))) names values) "\n"))

(define (run-property promise expression place count names generators property)
  (test-check promise place
    (lambda ()
      (let ((found (find-counterexample generators property count (test-seed) promise)))
        (if (not found)
            '()
            (list (cons "property" (written expression))
                  (cons "fails for" (inputs-text names (vector-ref found 0)))
                  (cons "actual" (vector-ref found 1))
                  (cons "first for" (inputs-text names (vector-ref found 2)))
                  (cons "seed" (text (test-seed) ", try " (vector-ref found 3) " of " count
                                     "; --seed " (test-seed) " or COMET_TEST_SEED gives the same inputs"))))))))
