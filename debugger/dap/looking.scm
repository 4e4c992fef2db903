;; Requests that look at the program where it stands: threads, stackTrace, scopes, variables, setVariable,
;; exceptionInfo, source.
;;
;; A frame's number is its activation's level and 1, and a scope's number is made of that and of which scope it is:
;; so nothing is kept that could outlive what it speaks of. On top of an activation stand frames of the macros that made
;; the code there: the same registers, other places in sources.

(module debugger/dap/looking)
(use scheme-lib/util)
(use scheme-lib/json)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/value)
(use debugger/views)
(use debugger/run)
(use debugger/show)
(use debugger/dap/adapter)
(use debugger/dap/running)
(use debugger/dap/listing)
(use debugger/dap/viewed)

(define-request (threads arguments) when: loaded
  (json-object "threads"
               (list->vector (map (lambda (thread) (json-object "id" (+ thread 1) "name" (text "thread " thread)))
                                  (machine-threads (the-machine))))))

;; ---- frames ----------------------------------------------------------------------------------------------

(define frames-at-once 1000)

(define (source-object file)
  (let ((path (source-path file)))
    (json-object "name" (path-strip-directory file) "path" (if path (path-normalize path) (void)))))

(define macro-stride (expt 2 24)) ; between the numbers of an activation's frames; less than 128 of them

(define (macro-frame level number expansion)
  (append
   (json-object "id" (+ level 1 (* macro-stride number)) "name" (text (car expansion) " (macro)")
                "instructionPointerReference" (hex-address (activation-address level))
                "presentationHint" "subtle")
   (let ((place (cdr expansion)))
     (if (source-path (place-file place))
         (json-object "source" (source-object (place-file place)) "line" (client-line (place-line place))
                      "column" (caddr place))
         (json-object "line" 0 "column" 0)))))

;; The innermost first, the activation's own the last.
(define (frames level)
  (let ((expansions (take-at-most (macros-within (activation-address level)) 127)))
    (append (reverse (map (lambda (expansion number) (macro-frame level number expansion))
                          expansions
                          (iota (length expansions) 1)))
            (list (frame level)))))

(define (frame level)
  (let* ((address (activation-address level)) (place (line-at address)))
    (append
     (json-object "id" (+ level 1) "name" (address-text (vector-ref (target-activation level) 0))
                  "instructionPointerReference" (hex-address address))
     (if (and place (source-path (place-file place)))
         (json-object "source" (source-object (place-file place)) "line" (client-line (place-line place))
                      "column" (caddr place))
         (json-object "source" (listing-source address) "line" (client-line (listing-line address)) "column" 1)))))

(define-request (stackTrace arguments) when: stopped
  (let ((thread (- (argument arguments "threadId" 'integer (thread-id)) 1)))
    (if (memv thread (machine-threads (the-machine))) (session-thread-set! (the-session) thread)))
  (let* ((depth (target-depth))
         (start (max 0 (argument arguments "startFrame" 'integer 0)))
         (levels (argument arguments "levels" 'integer 0))
         (count (if (> levels 0) (min levels frames-at-once) frames-at-once)))
    ;; How many there are in all is known when all were made; a client that is not told asks until none come.
    (let loop ((level 0) (made 0) (found '()))
      (if (and (< level depth) (or (< level frames-at-once) (< made (+ start count))))
          (let ((more (frames level))) (loop (+ level 1) (+ made (length more)) (append (reverse more) found)))
          (json-object "stackFrames" (list->vector (take-at-most (drop-at-most (reverse found) start) count))
                       "totalFrames" (if (= level depth) made (void)))))))

;; Makes a frame's activation the selected one; commands and expressions then speak of its registers.
(define (select-level! level)
  (if (not (< -1 level (target-depth))) (raise-user-error "there is no activation " level " any more"))
  (session-level-set! (the-session) level))

(define (select-frame! arguments)
  (let ((frame (argument arguments "frameId" 'integer #f))) (if frame (select-level! (modulo (- frame 1) macro-stride)))))

;; ---- scopes ----------------------------------------------------------------------------------------------

;; name, hint, whether it is much, its variables as a list of names, how one of them is read and set
(define-type scope
  constructor: make-scope
  name hint expensive? names value set!)

(define least-registers 8)
(define most-registers 1000)

;; As many as are in use, and some more, so that those of small programs stay in their places.
(define (register-names)
  (let ((last (fold max least-registers (map car (target-registers)))))
    (map (lambda (n) (text "r" (+ n 1))) (iota (min last most-registers)))))

(define (thread-register-names) (cons "pc" (map (lambda (n) (text "t" n)) (iota 16))))

(define (executable? address)
  (any (lambda (region)
         (and (<= (car region) address (+ (car region) (cadr region) -1)) (string-contains (caddr region) "x")))
       (target-regions)))

(define (data-names)
  (map car (filter (lambda (symbol)
                     (and (= 8 (u8vector-length (target-read-prefix (cdr symbol) 8))) (not (executable? (cdr symbol)))))
                   (all-symbols))))

(define (data-value name) (u8vector->number (target-read (symbol-value name) 8)))
(define (data-set! name value) (target-write! (symbol-value name) (number->u8vector value 8)))

;; Variables of the function, which are known by their names alone.
(define (local-names) (map (lambda (variable) (symbol->string (car variable))) (or (local-variables) '())))
(define (local-value name) (view-ref name))
(define (local-set! name value) (view-put! name value))

(define all-scopes
  (list (make-scope "Registers" "registers" #f register-names target-register target-register-set!)
        (make-scope "Thread registers" "registers" #f thread-register-names target-register target-register-set!)
        (make-scope "Data" "globals" #t data-names data-value data-set!)
        (make-scope "Locals" "locals" #f local-names local-value local-set!)))

(define (scope-number level index) (+ 1 index (* level (length all-scopes))))

;; The scope that is asked about, its activation being selected; #f where none is.
(define (select-scope! arguments)
  (let ((number (argument arguments "variablesReference" 'integer 0)))
    (and (not (= number 0))
         (begin
           (select-level! (quotient (- number 1) (length all-scopes)))
           (list-ref all-scopes (modulo (- number 1) (length all-scopes)))))))

(define (the-scope arguments)
  (or (select-scope! arguments) (raise-user-error "no variable has parts that could be asked for")))

(define-request (scopes arguments) when: stopped
  (select-frame! arguments)
  (let* ((level (session-level (the-session)))
         (objects (map (lambda (scope index)
                         (json-object "name" (scope-name scope) "presentationHint" (scope-hint scope)
                                      "variablesReference" (scope-number level index)
                                      "expensive" (scope-expensive? scope)))
                       all-scopes
                       (iota (length all-scopes))))
         (others (reverse (cdr (reverse objects)))))
    ;; Where there are variables, they are what one looks for first.
    (json-object "scopes" (list->vector (if (null? (local-names)) others (cons (car (reverse objects)) others))))))

;; ---- variables -------------------------------------------------------------------------------------------

(define (value-in-format value arguments)
  (if (argument (argument arguments "format" 'object '()) "hex" 'boolean #f) (number->hex value) (value-text value)))

(define (memory-reference value) (if (and (>= value 65536) (mapped? value)) (hex-address value) (void)))

(define (variable scope name arguments)
  (if (or (viewed? name) (local-named name)) (viewed-variable name name) (plain-variable scope name arguments)))

(define (plain-variable scope name arguments)
  (let ((value ((scope-value scope) name)))
    (json-object "name" name "value" (value-in-format value arguments) "variablesReference" 0 "evaluateName" name
                 "memoryReference" (memory-reference (or (symbol-value name) value)))))

(define (wanted-of list arguments)
  (let ((list (drop-at-most list (max 0 (argument arguments "start" 'integer 0))))
        (count (argument arguments "count" 'integer 0)))
    (if (> count 0) (take-at-most list count) list)))

(define-request (variables arguments) when: stopped
  (let ((number (argument arguments "variablesReference" 'integer 0)))
    (json-object
     "variables"
     (list->vector
      (if (viewed-reference? number)
          (wanted-of (viewed-children number) arguments)
          (let ((scope (the-scope arguments)))
            (map (lambda (name) (variable scope name arguments)) (wanted-of ((scope-names scope)) arguments))))))))

(define-request (setVariable arguments) when: stopped
  (let ((number (argument arguments "variablesReference" 'integer)) (name (argument arguments "name" 'string))
        (value (argument arguments "value" 'string)))
    (cond ((viewed-reference? number) (viewed-child-set! number name value))
          ((viewed? name)
           (set-place! name (new-value name value))
           (viewed-variable name name))
          (else (set-in-scope! (the-scope arguments) name arguments)))))

(define (set-in-scope! scope name arguments)
  (if (not (member name ((scope-names scope)))) (raise-user-error "there is no `" name "` in " (scope-name scope)))
  ((scope-set! scope) name (word->integer (argument arguments "value" 'string)))
  (json-object "value" (value-in-format ((scope-value scope) name) arguments)))

;; ---- why it stopped ----------------------------------------------------------------------------------------

(define-request (exceptionInfo arguments) when: stopped
  (let ((pause (session-stop (the-session))))
    (if (not (and pause (eq? (pause-reason pause) 'trap))) (raise-user-error "the program did not stop at a trap"))
    (let ((stop (pause-stop pause)))
      (json-object "exceptionId" (symbol->string (stop-trap stop)) "description" (stop-message stop)
                   "breakMode" "always"))))
