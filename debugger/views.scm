;; Views at the prompt: which there are, and places that words name.
;;
;;   (define-view! 'node '(record (value u64) (next (pointer node))))
;;   (define-view! 'list '(list next node))       what the symbol `list` of the program is shown as
;;   (view-value (word->view-place "list.next.value" word->integer))
;;
;; A view has a name, and a symbol of the program with the same name is shown by it. Views that the user
;; defines come before those in the program's image. A word for a place is a symbol that has a view, or
;; BASE:VIEW, what lies at an address seen by a view, and behind it .FIELD and [INDEX], any number of them. Variables
;; of the selected activation's function are such words as well, where the program's image tells of them.

(module debugger/views)
(use scheme-lib/util)
(use scheme-lib/view)
(use scheme-lib/view-text)
(use scheme-lib/image)
(use asm/number)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/words)

;; ---- numbers that are not integers -----------------------------------------------------------------

;; An IEEE number from its bits.
(define (bits->real bits significand-bits exponent-bits)
  (let* ((fraction (modulo bits (expt 2 significand-bits)))
         (exponent (modulo (quotient bits (expt 2 significand-bits)) (expt 2 exponent-bits)))
         (negative? (odd? (quotient bits (expt 2 (+ significand-bits exponent-bits)))))
         (bias (- (expt 2 (- exponent-bits 1)) 1))
         (magnitude
          (cond ((= exponent (- (expt 2 exponent-bits) 1)) (if (= fraction 0) +inf.0 +nan.0))
                ((= exponent 0) (exact->inexact (* fraction (expt 2 (- 1 bias significand-bits)))))
                (else
                 (exact->inexact (* (+ fraction (expt 2 significand-bits)) (expt 2 (- exponent bias significand-bits))))))))
    (if negative? (- magnitude) magnitude)))

(define (define-real-view! name size significand-bits exponent-bits)
  (define-simple-view! name size
    (lambda (bytes) (bits->real (u8vector->number bytes) significand-bits exponent-bits))
    (lambda (value)
      (if (not (real? value)) (raise-user-error (written value) " is no real number"))
      (number->u8vector (real->bits value significand-bits exponent-bits) size))
    number->string))

(define-real-view! 'f64 8 52 11)
(define-real-view! 'f32 4 23 8)

;; ---- the table -------------------------------------------------------------------------------------

(define own '()) ; ((name . description) …), the newest first

(define (->name name) (if (string? name) (string->symbol name) name))

(define-documented (define-view! name description)
  "Defines a view. A symbol of the program of this NAME is shown by it, and other descriptions may name it."
  (view-check description)
  (set! own (cons (cons (->name name) description) (remove (lambda (entry) (eq? (car entry) (->name name))) own))))

;; Those of the session's program: (program . table), name -> a text until it is asked for, then the description.
(define of-image (make-parameter (cons #f (make-table test: eq?))))

(define (image-table)
  (let ((program (session-program (the-session))))
    (if (not (eq? (car (of-image)) program))
        (of-image (cons program
                        (list->table
                         (map (lambda (view) (cons (string->symbol (vector-ref view 0)) (vector-ref view 1)))
                              (if program (image-views (loaded-image program)) '()))
                         test: eq?))))
    (cdr (of-image))))

;; A description from an image is looked at before it is used.
(define (checked-text name string)
  (with-exception-catcher
   (lambda (exception)
     (raise-user-error "the view `" name "` in the program's image: " (exception->text exception)))
   (lambda ()
     (let ((view (text->view string)))
       (view-check view)
       view))))

(define-documented (view-named name)
  "The description of a view that the user or the program's image defines, or #f."
  (let* ((name (->name name)) (mine (assq name own)))
    (if mine
        (cdr mine)
        (let ((found (table-ref (image-table) name #f)))
          (if (string? found)
              (let ((view (checked-text name found)))
                (table-set! (image-table) name view)
                view)
              found)))))

(define-documented (view-definitions)
  "The names of the views that the user and the program's image define."
  (sort (map symbol->string
             (append (map car own)
                     (remove (lambda (name) (assq name own)) (map car (table->list (image-table))))))
        string<?))

;; ---- places ----------------------------------------------------------------------------------------

(define (read-memory address length)
  (let ((bytes (target-read-prefix address length)))
    (and (= (u8vector-length bytes) length) bytes)))

(define (memory-world) (make-view-world read-memory target-write! view-named memory-address-text))

(define (memory-address-text address)
  (let ((symbol (symbol-at address)))
    (text (hex-address address) (if symbol (text " <" (address-text address) ">") ""))))

(define-documented (memory-view-place view address)
  "What VIEW describes at ADDRESS in memory."
  (view-place (memory-world) view address))

;; A number of 64 bits as a place: what is small enough lies in it. It stands for the last 8 bytes of memory, so
;; that what it points to is found in all others.
(define number-base (- (expt 2 64) 8))

(define (number-world get set)
  (make-view-world
   (lambda (address length)
     (if (>= address number-base)
         (let ((start (- address number-base)))
           (and (<= (+ start length) 8) (subu8vector (number->u8vector (get) 8) start (+ start length))))
         (read-memory address length)))
   (lambda (address bytes)
     (if (>= address number-base)
         (let ((all (number->u8vector (get) 8)))
           (subu8vector-move! bytes 0 (u8vector-length bytes) all (- address number-base))
           (set (u8vector->number all)))
         (target-write! address bytes)))
   view-named memory-address-text))

(define (number-view-place view get set)
  (let ((place (view-place (number-world get set) view number-base)))
    (if (view-scalar? place) place (memory-view-place view (get)))))

(define-documented (register-view-place view register)
  "What VIEW describes in a register, or, where it is none that a register holds, at the address in it."
  (number-view-place view
                     (lambda () (target-register register))
                     (lambda (number) (target-register-set! register number))))

(define-documented (value-view-place view value)
  "What VIEW describes in a number, or, where it is none that 64 bits hold, at the address that it is."
  (number-view-place view (lambda () value) (lambda (number) (raise-user-error "a number cannot be set"))))

;; ---- frames ----------------------------------------------------------------------------------------

;; The view of a function is (frame (NAME VIEW FROM TO (FROM TO PLACE) …) …): its variables, where each is in scope, and
;; where its value is at which instructions; FROM and TO are distances from the function. PLACE: a register, which holds
;; the value; (at TERM …), memory at the sum of registers and numbers; (is TERM …), the sum itself. Of several with one
;; name in scope the last counts.
(define (frame-view? view) (and (pair? view) (eq? 'frame (car view))))

(define (distance? value) (and (exact-integer? value) (>= value 0)))
(define (register-term? term) (and (symbol? term) (register-name? (symbol->string term))))
(define (term? term) (or (exact-integer? term) (register-term? term)))

(define (place-row? row)
  (and (list? row) (= 3 (length row)) (distance? (car row)) (distance? (cadr row))
       (let ((place (caddr row)))
         (or (register-term? place)
             (and (pair? place) (list? place) (memq (car place) '(at is)) (pair? (cdr place)) (every term? (cdr place)))))))

(define (variable-row? row)
  (and (list? row) (>= (length row) 4) (symbol? (car row)) (distance? (caddr row)) (distance? (cadddr row))
       (every place-row? (cddddr row))))

(define-view-kind! 'frame
  check: (lambda (view names)
           (for-each (lambda (row)
                       (if (not (variable-row? row))
                           (raise-user-error "`" (written row) "` is no variable of a frame, which is written "
                                             "(NAME VIEW FROM TO (FROM TO PLACE) ...)"))
                       (view-check (cadr row)))
                     (cdr view)))
  size: (lambda (place) 0)
  value: (lambda (place) '())
  tree: (lambda (place) "what `locals` shows in an activation of the function"))

(define (selected-level) (session-level (the-session)))

;; The selected activation's function and its frame, (address . rows), or #f.
(define (selected-frame)
  (let* ((function (vector-ref (target-activation (selected-level)) 0)) (symbol (symbol-at function))
         (view (and symbol (= function (cdr symbol)) (view-named (car symbol)))))
    (and (frame-view? view) (cons function (cdr view)))))

;; How far into the function the activation is; a caller is at its call.
(define (distance-into function)
  (- (if (= 0 (selected-level)) (target-pc) (- (vector-ref (target-activation (selected-level)) 1) 1)) function))

(define (within? distance from to) (and (<= from distance) (< distance to)))

(define-documented (local-variables)
  "The variables in scope where the selected activation stands, each (name view . place), as frames write places; #f
for one that has no value there. #f: nothing is known of the function's variables."
  (let ((frame (selected-frame)))
    (and frame
         (let ((distance (distance-into (car frame))))
           (let loop ((rows (reverse (cdr frame))) (found '()))
             (if (null? rows)
                 found
                 (let ((row (car rows)))
                   (loop (cdr rows)
                         (if (and (within? distance (caddr row) (cadddr row)) (not (assq (car row) found)))
                             (cons (cons (car row) (cons (cadr row) (place-at row distance))) found)
                             found)))))))))

(define (place-at row distance)
  (let ((found (find (lambda (place) (within? distance (car place) (cadr place))) (cddddr row))))
    (and found (caddr found))))

(define (sum terms)
  (u64 (apply + (map (lambda (term) (if (symbol? term) (target-register term) term)) terms))))

(define (local-place variable)
  (let ((view (cadr variable)) (place (cddr variable)))
    (cond ((not place)
           (raise-user-error "`" (car variable) "` has no value here: it is not set yet, or was optimised away; "
                             "step-line goes on to the next line"))
          ((symbol? place) (register-view-place view (symbol->string place)))
          ((eq? 'at (car place)) (memory-view-place view (sum (cdr place))))
          (else (value-view-place view (sum (cdr place)))))))

;; The variable whose name a word begins with, or #f.
(define (local-named word)
  (let ((name (substring word 0 (or (string-index word (lambda (c) (memv c '(#\. #\[)))) (string-length word)))))
    (and (not (register-name? name))
         (let ((variables (local-variables))) (and variables (assq (string->symbol name) variables))))))

(define (local-and-steps word evaluate)
  (let ((variable (local-named word)))
    (and variable
         (let* ((length (string-length (symbol->string (car variable))))
                (steps (parse-steps (substring word length (string-length word)) evaluate)))
           (and steps (follow (local-place variable) steps))))))

(define-documented (word->location-of-view word evaluate)
  "Where the value of a place that a view finds is kept: the name of a register, (address . length), or #f where WORD is
no such place. EVALUATE gives the integer that a word is."
  (let ((variable (local-named word)) (place (word->view-place word evaluate)))
    (cond ((not place) #f)
          ((< (view-place-address place) number-base) (cons (view-place-address place) (view-size place)))
          ((and variable (symbol? (cddr variable))) (symbol->string (cddr variable)))
          (else (raise-user-error "`" word "` is kept nowhere: its value is a constant here")))))

;; ---- words -----------------------------------------------------------------------------------------

;; The description that a word is: the name of a view, or a form. #f for anything else.
(define (view-word? word)
  (and (> (string-length word) 0)
       (if (char=? (string-ref word 0) #\()
           (let ((end (or (string-index word (lambda (c) (or (char-whitespace? c) (memv c '(#\( #\))))) 1)
                          (string-length word))))
             (builtin-view? (string->symbol (substring word 1 end))))
           (and (or (builtin-view? (string->symbol word)) (assq (string->symbol word) own)
                    (table-ref (image-table) (string->symbol word) #f))
                #t))))

(define-documented (view-description-of-word word)
  "The description of a view that WORD is, a name or a form; an error where there is none."
  (if (not (view-word? word))
      (raise-user-error "there is no view `" word "`" (did-you-mean word (append (view-definitions) (view-names)))
                        "; `view` lists them"))
  (let ((view (text->view word)))
    (view-check view)
    view))

;; ".next[2].value" => (next 2 value), #f where it is no such thing
(define (parse-steps string evaluate)
  (let ((end (string-length string)))
    (let loop ((i 0) (steps '()))
      (cond ((= i end) (reverse steps))
            ((char=? (string-ref string i) #\.)
             (let ((stop (or (string-index string (lambda (c) (memv c '(#\. #\[))) (+ i 1)) end)))
               (and (> stop (+ i 1))
                    (loop stop (cons (string->symbol (substring string (+ i 1) stop)) steps)))))
            ((char=? (string-ref string i) #\[)
             (let ((stop (string-index string #\] i)))
               (and stop
                    (> stop (+ i 1))
                    (loop (+ stop 1) (cons (evaluate (substring string (+ i 1) stop)) steps)))))
            (else #f)))))

(define (follow place steps) (fold (lambda (step place) (view-part place step)) place steps))

;; Where the view behind `:` ends: a form, or a name.
(define (view-end word start)
  (if (and (< start (string-length word)) (char=? (string-ref word start) #\())
      (let loop ((i start) (depth 0))
        (cond ((= i (string-length word)) i)
              ((char=? (string-ref word i) #\() (loop (+ i 1) (+ depth 1)))
              ((char=? (string-ref word i) #\)) (if (= depth 1) (+ i 1) (loop (+ i 1) (- depth 1))))
              (else (loop (+ i 1) depth))))
      (or (string-index word (lambda (c) (memv c '(#\. #\[))) start) (string-length word))))

;; The place at BASE, a word that means a register or an address, seen by a view.
(define (place-of-base base view evaluate)
  (if (register-name? base) (register-view-place view base) (memory-view-place view (evaluate base))))

(define (register-name? word)
  (or (string=? word "pc")
      (and (> (string-length word) 1)
           (memv (string-ref word 0) '(#\r #\t))
           (not (string-index word (lambda (c) (not (char-numeric? c))) 1)))))

(define (cast-place word colon evaluate)
  (let* ((end (view-end word (+ colon 1)))
         (steps (parse-steps (substring word end (string-length word)) evaluate)))
    (and steps
         (follow (place-of-base (substring word 0 colon)
                                (view-description-of-word (substring word (+ colon 1) end))
                                evaluate)
                 steps))))

(define (symbol-place name)
  (let ((address (symbol-value name)))
    (and address
         (let ((view (view-named name))) (and view (not (frame-view? view)) (memory-view-place view address))))))

;; The longest beginning that is a symbol with a view, for symbols may have dots in them.
(define (symbol-and-steps word evaluate)
  (let loop ((end (string-length word)))
    (and (> end 0)
         (or (and (or (= end (string-length word)) (memv (string-ref word end) '(#\. #\[)))
                  (let ((place (symbol-place (substring word 0 end))))
                    (and place
                         (let ((steps (parse-steps (substring word end (string-length word)) evaluate)))
                           (and steps (follow place steps))))))
             (loop (- end 1))))))

(define-documented (word->view-place word evaluate)
  "The place that a word names (list, list.next.value, table[3], r5:node.next), or #f. EVALUATE gives the integer
that a word is."
  (and (session-machine (the-session))
       (> (string-length word) 0)
       (not (memv (string-ref word 0) '(#\( #\[ #\" #\' #\`)))
       (let ((colon (string-index word #\:)))
         (if (and colon (< 0 colon (- (string-length word) 1)))
             (cast-place word colon evaluate)
             (or (local-and-steps word evaluate) (symbol-and-steps word evaluate))))))

;; ---- showing and setting ---------------------------------------------------------------------------

(define widest 78)

(define-documented (view-lines label place)
  "What a place holds, as lines for people."
  (tree->lines label (view-tree place) widest))

;; What a word means that is to be put into a place: a name of an enum, a real number, else any value.
(define (word->view-value word place evaluate)
  (cond ((pair? (view-choices place))
         (if (memq (string->symbol word) (view-choices place))
             (string->symbol word)
             (with-exception-catcher (lambda (exception) (string->symbol word)) (lambda () (evaluate word)))))
        ((and (flonum? (view-value place)) (string->number word)) => exact->inexact)
        (else (evaluate word))))
