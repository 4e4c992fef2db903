;;; structured.scm: procedures with named registers, if, while, for, stack frames and strings, for programs
;;; in assembly language.
;;;
;;; A source says (include "structured.scm") and can then write
;;;
;;;     ($procedure "factorial" (n) (product)
;;;       ($set product 1)
;;;       ($while (n > 1)
;;;         (mul product product n)
;;;         (addi n n -1))
;;;       ($return product))
;;;
;;; and anywhere among its instructions, by `call r10, factorial` as well as from another $procedure by
;;; ($set x ($call "factorial" 10)), use what came of it.
;;;
;;; Scheme's own `if` decides while the program is assembled. `$if` writes code that decides when the
;;; program runs. So it is with all names here that begin with $.
;;;
;;; Statements, of which every body consists:
;;;     (add a b c)                         an instruction; its operands are Scheme expressions
;;;     "name"                              a label
;;;     ($form ...)                         one of the forms below
;;;     ($ expression)                      code that a Scheme expression gives
;;;
;;; Forms:
;;;     ($procedure "name" (parameter ...) (local ...) statement ...)
;;;     ($let (local ...) statement ...)    more registers with a name, for these statements
;;;     ($begin statement ...)              several statements where one is wanted
;;;     ($set register value)               value: see below, or a $call or $host, whose result it takes
;;;     ($set (register ...) ($call ...))   as many results as there are registers
;;;     ($call "name" value ...)
;;;     ($host "name" value ...)            a host call
;;;     ($return value ...)
;;;     ($if condition statement [statement])
;;;     ($while condition statement ...)
;;;     ($for (register from end) statement ...)    from `from` up to, not including, `end`
;;;     ($use-stack end)                    in the program's first procedure, if there is to be any $frame
;;;     ($frame (local length) statement ...)       local: the address of `length` bytes of memory
;;;     ($text "...")                       not a statement but a value: the address of that text and a 0
;;;     ($texts)                            a statement of the source, once at the end: puts the texts there
;;;     ($string-table "name" "..." ...)    the same: at `name`, the addresses of strings, then the strings
;;;
;;; Values: a symbol means the register of that name, a quoted symbol the constant of that name; a number, a
;;; character or any other expression means the constant that it gives.
;;; Conditions: (a < b) with = != < > <= >= and, unsigned, u< u> u<= u>=, where a is a register and b a value,
;;; for the kinds of > and <= not the constant that is the largest number; and (not condition),
;;; (and condition ...), (or condition ...).
;;;
;;; $window is the first register that has no name: there the windows of calls begin.

;; ---- statements ----------------------------------------------------------------------------------------

(define-macro ($statement form)
  (cond ((string? form)
         `(label ,form))
        ((not (and (pair? form) (symbol? (car form))))
         (error "a statement is an instruction, a form that begins with $, or a label as a string, not" form))
        ((char=? #\$ (string-ref (symbol->string (car form)) 0))
         form)
        (else
         `(list ',(car form) ,@(cdr form)))))

(define-macro ($begin . statements)
  `(list ,@(map (lambda (statement) `($statement ,statement)) statements)))

(define-macro ($ expression)
  expression)

;; ---- registers with names ------------------------------------------------------------------------------

(define-macro ($let names . statements)
  `(let* ,(apply append
                 (map (lambda (name) `((,name $window) ($window (+ $window 1)))) names))
     ($begin ,@statements)))

(define-macro ($procedure name parameters locals . statements)
  `(let (($window 1) ($frame-length 0))
     (list (label ,name)
           ($let (,@parameters ,@locals) ,@statements)
           (list 'ret))))

;; ---- values --------------------------------------------------------------------------------------------

;; How the macros hand a value to the procedures: a pair that says whether it is a register.
(define-macro ($value form)
  (cond ((symbol? form)
         `(cons 'register ,form))
        ((and (pair? form) (eq? (car form) 'quote))
         `(cons 'constant ,(cadr form)))
        (else
         `(cons 'constant ,form))))

(define ($register? value)
  (eq? (car value) 'register))

(define ($constant value)
  (let ((constant (cdr value)))
    (if (char? constant) (char->integer constant) constant)))

(define ($move register value)
  (cond (($register? value)
         (list 'mov register (cdr value)))
        ;; In an object, an address is known only to the linker.
        ((and (known? ($constant value)) (negative? ($constant value)))
         (list 'simm register (- ($constant value))))
        (else
         (list 'imm register ($constant value)))))

;; Values to the registers from `first` on. No value may be a register that is written before it is read.
(define ($move-all first values)
  (map $move (iota (length values) first) values))

(define-macro ($set target value)
  (cond ((not (and (pair? value) (memq (car value) '($call $host))))
         `($move ,target ($value ,value)))
        ((pair? target)
         `(list ,value
                (map (lambda (register result) (list 'mov register result))
                     (list ,@target)
                     (iota ,(length target) (+ $window 1)))))
        (else
         `($set (,target) ,value))))

;; ---- calls ---------------------------------------------------------------------------------------------

(define-macro ($call name . values)
  `(list ($move-all (+ $window 1) (list ,@(map (lambda (value) `($value ,value)) values)))
         (list 'call $window (address ,name))))

(define-macro ($host name . values)
  `(list ($move-all (+ $window 1) (list ,@(map (lambda (value) `($value ,value)) values)))
         (list 'hcall $window (host ,name))))

;; A result may be another one's register: they meet above the window first.
(define-macro ($return . values)
  `(list ($move-all (+ $window 1) (list ,@(map (lambda (value) `($value ,value)) values)))
         (map (lambda (result register) (list 'mov result register))
              (iota ,(length values) 1)
              (iota ,(length values) (+ $window 1)))
         ($move-stack $window $frame-length)
         (list 'ret)))

;; ---- conditions ----------------------------------------------------------------------------------------

;; operator, its opposite, the branch for two registers, whether it takes them the other way round, the
;; branch for a register and a constant, and what is to be added to that: a > 5 is a >= 6.
(define $comparisons
  '((=   !=  beq   #f beqi   0)
    (!=  =   bne   #f bnei   0)
    (<   >=  blt_s #f blti_s 0)
    (>=  <   bge_s #f bgei_s 0)
    (>   <=  blt_s #t bgei_s 1)
    (<=  >   bge_s #t blti_s 1)
    (u<  u>= blt_u #f blti_u 0)
    (u>= u<  bge_u #f bgei_u 0)
    (u>  u<= blt_u #t bgei_u 1)
    (u<= u>  bge_u #t blti_u 1)))

(define ($comparison operator)
  (or (assq operator $comparisons)
      (error (string-append "there is no comparison `" (symbol->string operator)
                            "`: a condition is (register operator value), with one of these operators:")
             (map car $comparisons))))

;; Goes to the label `target` if the comparison gives `sense`, #t or #f.
(define ($compare-and-branch sense operator left value target)
  (let ((row (if sense
                 ($comparison operator)
                 ($comparison (cadr ($comparison operator))))))
    (apply (lambda (operator opposite branch swapped? branch-immediate addend)
             (cond ((not ($register? value))
                    (list branch-immediate left (+ ($constant value) addend) (address target)))
                   (swapped?
                    (list branch (cdr value) left (address target)))
                   (else
                    (list branch left (cdr value) (address target)))))
           row)))

;; The same for every condition. An `and` that is to branch when it is false, and an `or` when it is true,
;; branch as soon as one of their parts does. In the other case every part but the last can only decide
;; not to branch, which means going on behind.
(define-macro ($branch sense condition target)
  (let ((head (and (pair? condition) (car condition))))
    (cond ((not (and (list? condition)
                     (if (memq head '(not and or))
                         (pair? (cdr condition))
                         (= (length condition) 3))))
           (error "a condition is (register operator value), (not ...), (and ...), (or ...), not" condition))
          ((eq? head 'not)
           `($branch ,(not sense) ,(cadr condition) ,target))
          ((eq? head (if sense 'or 'and))
           `(list ,@(map (lambda (part) `($branch ,sense ,part ,target))
                         (cdr condition))))
          ((memq head '(and or))
           (let ((parts (reverse (cdr condition)))
                 (behind (gensym)))
             `(let ((,behind ($new-label)))
                (list ,@(map (lambda (part) `($branch ,(not sense) ,part ,behind))
                             (reverse (cdr parts)))
                      ($branch ,sense ,(car parts) ,target)
                      (label ,behind)))))
          (else
           `($compare-and-branch ,sense ',(cadr condition) ,head ($value ,(caddr condition)) ,target)))))

;; Labels that nobody has written. The assembler reads the source anew in each of its passes, and this
;; file with it, so the names are the same every time.
(define $labels 0)

(define ($new-label)
  (set! $labels (+ $labels 1))
  (string-append "$label_" (number->string $labels)))

;; ---- control -------------------------------------------------------------------------------------------

(define-macro ($if condition consequence #!optional (alternative #f))
  (let ((otherwise (gensym))
        (end (gensym)))
    (if alternative
        `(let ((,otherwise ($new-label))
               (,end ($new-label)))
           (list ($branch #f ,condition ,otherwise)
                 ($statement ,consequence)
                 (list 'jump (address ,end))
                 (label ,otherwise)
                 ($statement ,alternative)
                 (label ,end)))
        `(let ((,end ($new-label)))
           (list ($branch #f ,condition ,end)
                 ($statement ,consequence)
                 (label ,end))))))

;; The test stands at the end, so that a turn costs one branch.
(define-macro ($while condition . statements)
  (let ((again (gensym))
        (test (gensym)))
    `(let ((,again ($new-label))
           (,test ($new-label)))
       (list (list 'jump (address ,test))
             (label ,again)
             ($begin ,@statements)
             (label ,test)
             ($branch #t ,condition ,again)))))

(define-macro ($for range . statements)
  (apply (lambda (register from end)
           `($begin ($set ,register ,from)
                    ($while (,register < ,end)
                      ,@statements
                      (addi ,register ,register 1))))
         range))

;; ---- the stack in memory -------------------------------------------------------------------------------

;; Registers cannot be pointed at. What needs an address of its own for as long as an activation lasts has
;; a frame on a stack in memory, which grows downwards; t0 is where it ends. $frame-length is how much of
;; it the procedure holds at this place, and gives back when it returns.

(define-macro ($use-stack end)
  `(list ($move $window ($value ,end))
         (list 'tset 't0 $window)))

(define ($move-stack register distance)
  (if (zero? distance)
      '()
      (list (list 'tget register 't0)
            (list 'addi register register distance)
            (list 'tset 't0 register))))

(define-macro ($frame local . statements)
  (let ((name (car local))
        (length (gensym)))
    `(let ((,length ,(cadr local)))
       (list ($move-stack $window (- ,length)) ; which leaves the new end in that register
             (let (($frame-length (+ $frame-length ,length)))
               ($let (,name) ,@statements))
             ($move-stack $window ,length)))))

;; ---- strings -------------------------------------------------------------------------------------------

;; The texts so far, newest first, each with its label; equal ones are there once.
(define $known-texts '())

(define ($text string)
  (let ((known (assoc string $known-texts)))
    (if known
        (address (cdr known))
        (let ((name (string-append "$text_" (number->string (length $known-texts)))))
          (set! $known-texts (cons (cons string name) $known-texts))
          (address name)))))

(define ($texts)
  (map (lambda (entry)
         (list (label (cdr entry)) ($string-bytes (car entry))))
       (reverse $known-texts)))

(define ($string-bytes string)
  (u8vector-append (string->utf8 string) (u8vector 0)))

(define ($string-table name . strings)
  (let ((names (map (lambda (n) (string-append name "_" (number->string n)))
                    (iota (length strings)))))
    (list (label name)
          (map (lambda (string-name) (list '.quad (address string-name))) names)
          (map (lambda (string-name string) (list (label string-name) ($string-bytes string)))
               names
               strings))))
