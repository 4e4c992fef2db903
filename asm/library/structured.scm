;; Procedures with named registers, if, while, for, switch and frames in memory, for sources of the assembler.
;;
;;     (use asm/library/structured)
;;
;;     ($procedure "factorial" (n) (product)
;;       ($set product 1)
;;       ($while (n > 1)
;;         (mul product product n)
;;         (addi n n -1))
;;       ($return product))
;;
;; can be called among instructions, by `call r10, factorial`, as well as from another $procedure by
;; ($set x ($call "factorial" 10)).
;;
;; Scheme's own `if` decides while the program is assembled. `$if` writes code that decides when the program runs.
;; So it is with all names that begin with $. asm/library/README.md lists them.
(module asm/library/structured)
(use scheme-lib/util)
(use asm/macro)
(declare (block))

;; ---- statements --------------------------------------------------------------------------------------

(define (check source right? . words)
  (if (not right?) (macro-fail (apply text words) ", found " (written (datum source)))))

(define (statement source)
  (let* ((code (parts source))
         (head (and (pair? code) (datum (car code)))))
    (cond ((string? (datum source)) (form source 'list ''label source))
          ((not (symbol? head))
           (check source #f "a statement is an instruction, a form that begins with $, or a label as a string"))
          ((eq? head '$) (located-form source (cadr code)))
          ((char=? #\$ (string-ref (symbol->string head) 0)) source)
          (else (at source (cons* 'list (list 'quote head) (cdr code)))))))

(define (expand-statement source)
  (statement (cadr (parts source))))

(define (block-of source statements)
  (at source (cons 'list (map statement statements))))

(define (expand-begin source)
  (block-of source (cdr (parts source))))

;; ---- registers with names ----------------------------------------------------------------------------

;; $window is the first register that has no name: there the windows of calls begin.
(define (with-registers source names body)
  (form source 'let* (append-map (lambda (name) `((,name $window) ($window (+ $window 1)))) names) body))

(define (names-of source)
  (let ((names (datum source)))
    (check source (and (list? names) (every symbol? names)) "expected a list of names for registers")
    names))

(define (expand-let source)
  (let ((code (parts source)))
    (check source (and code (>= (length code) 2)) "expected ($let (register ...) statement ...)")
    (with-registers source (names-of (cadr code)) (block-of source (cddr code)))))

(define (expand-procedure source)
  (let ((code (parts source)))
    (check source (and code (>= (length code) 4))
           "expected ($procedure \"name\" (parameter ...) (local ...) statement ...)")
    (form source 'let '(($window 1) ($frame-length 0) ($end-label #f) ($again-label #f))
          (form source 'list
                (form source 'list ''label (cadr code))
                (with-registers source (append (names-of (caddr code)) (names-of (cadddr code)))
                  (block-of source (cddddr code)))
                (macro-form source "$procedure" '(asm/library/structured#return))))))

(define (return) (list (list 'ret)))

;; ---- values ------------------------------------------------------------------------------------------

;; How the macros hand a value to the procedures: a pair that says whether it is a register.
(define (value source)
  (let ((form (datum source)))
    (check source (not (call? source)) "a call cannot stand here: expected it in $set, $return or another call")
    (cond ((symbol? form) (list 'cons ''register source))
          ((and (pair? form) (eq? (car form) 'quote)) (list 'cons ''constant (cadr (parts source))))
          (else (list 'cons ''constant source)))))

(define (call? source)
  (let ((code (parts source)))
    (and (pair? code) (memq (datum (car code)) '($call $host)))))

;; Values for the registers behind $window. A call has its window at the register that its result is for, behind those
;; that are filled already.
(define (values-of sources)
  (cons 'list
        (map (lambda (source n)
               (if (call? source)
                   (list 'cons ''call (form source 'let (list (list '$window (list '+ '$window n))) source))
                   (value source)))
             sources
             (iota (length sources) 1))))

(define (register? value) (eq? (car value) 'register))

(define (constant value)
  (let ((constant (cdr value)))
    (if (char? constant) (char->integer constant) constant)))

(define (move register value)
  (let ((source (if (register? value) (cdr value) (constant value))))
    (cond ((register? value) (list 'mov register source))
          ((eq? (car value) 'call) (list source (list 'mov register (+ register 1))))
          ((and (number? source) (negative? source)) (list 'simm register (- source)))
          (else (list 'imm register source)))))

;; Values to the registers from `first` on. No value may be a register that is written before it is read.
(define (move-all first values)
  (map move (iota (length values) first) values))

(define (expand-set source)
  (let* ((code (parts source))
         (right? (and code (= (length code) 3)))
         (targets (and right? (parts (cadr code)))))
    (check source right? "expected ($set register value)")
    (macro-form source "$set"
      (cond ((not (call? (caddr code))) (list 'asm/library/structured#move (cadr code) (value (caddr code))))
            (else
             (let ((targets (or targets (list (cadr code)))))
               (form source 'list
                     (caddr code)
                     (list 'asm/library/structured#take-results (cons 'list targets) '(+ $window 1)))))))))

(define (take-results registers first)
  (map (lambda (register result) (list 'mov register result))
       registers
       (iota (length registers) first)))

;; ---- calls -------------------------------------------------------------------------------------------

;; ($call "name" value ...) and ($host "name" value ...)
(define (expand-call source)
  (let ((code (parts source)))
    (check source (and code (>= (length code) 2)) "expected (" (datum (car code)) " \"name\" value ...)")
    (macro-form source (macro-name source)
      (list 'asm/library/structured#call-code
            (if (eq? (datum (car code)) '$call) ''call ''hcall)
            (cadr code) '$window (values-of (cddr code))))))

(define (call-code instruction name window values)
  (list (move-all (+ window 1) values)
        (list instruction window name)))

;; A result may be another one's register: they meet above the window first.
(define (expand-return source)
  (macro-form source "$return"
    (list 'asm/library/structured#return-code '$window '$frame-length (values-of (cdr (parts source))))))

(define (return-code window frame-length values)
  (let ((count (length values)))
    (list (move-all (+ window 1) values)
          (take-results (iota count 1) (+ window 1))
          (move-stack window frame-length)
          (list 'ret))))

;; ---- conditions --------------------------------------------------------------------------------------

;; operator, its opposite, the branch for two registers, whether it takes them the other way round, the branch for
;; a register and a constant, and what is to be added to that: a > 5 is a >= 6.
(define comparisons
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

;; Goes to the label `target` if the comparison gives `sense`, #t or #f.
(define (compare-and-branch sense operator left value target)
  (let ((row (assq (if sense operator (cadr (assq operator comparisons))) comparisons)))
    (apply (lambda (operator opposite branch swapped? branch-immediate addend)
             (cond ((not (register? value)) (list branch-immediate left (+ (constant value) addend) target))
                   (swapped? (list branch (cdr value) left target))
                   (else (list branch left (cdr value) target))))
           row)))

;; ($branch sense condition target)
(define (expand-branch source)
  (let ((code (parts source)))
    (branch (datum (cadr code)) (caddr code) (cadddr code))))

;; An `and` that is to branch when it is false, and an `or` when it is true, branch as soon as one of their parts
;; does. In the other case every part but the last can only decide not to branch, which means going on behind.
(define (branch sense condition target)
  (let* ((code (parts condition))
         (head (and (pair? code) (datum (car code)))))
    (check condition
           (and code (if (memq head '(not and or)) (pair? (cdr code)) (= (length code) 3)))
           "a condition is (register operator value), (not ...), (and ...) or (or ...)")
    (cond ((eq? head 'not) (branch (not sense) (cadr code) target))
          ((eq? head (if sense 'or 'and))
           (at condition (cons 'list (map (lambda (part) (branch sense part target)) (cdr code)))))
          ((memq head '(and or))
           (let ((inwards (reverse (cdr code)))
                 (behind (gensym 'behind)))
             (form condition 'let (list (list behind '(unique-name "behind")))
                   (at condition (append '(list)
                            (map (lambda (part) (branch (not sense) part behind)) (reverse (cdr inwards)))
                            (list (branch sense (car inwards) target)
                                  (list 'list ''label behind)))))))
          (else
           (let ((operator (datum (cadr code))))
             (check condition (assq operator comparisons)
                    "there is no comparison `" operator "`: known are " (string-join (map text (map car comparisons)) " "))
             (macro-form condition "$branch"
               (list 'asm/library/structured#compare-and-branch sense (list 'quote operator) (car code)
                     (value (caddr code)) target)))))))

;; ---- control -----------------------------------------------------------------------------------------

;; (let ((variable (unique-name "name")) …) (list code …)); what has no place of its own has the form's.
(define (with-new-labels source names make)
  (let ((variables (map (lambda (name) (gensym (string->symbol name))) names)))
    (form source 'let
          (map (lambda (variable name) (list variable (list 'unique-name name))) variables names)
          (located-form source (at source (cons 'list (apply make variables)))))))

(define (mark label) (list 'list ''label label))
(define (go-to source label)
  (macro-form source (macro-name source) (list 'asm/library/structured#jump-code label)))
(define (jump-code label) (list 'jump label))

(define (expand-if source)
  (let ((code (parts source)))
    (check source (and code (<= 3 (length code) 4)) "expected ($if condition statement [statement])")
    (if (= 3 (length code))
        (with-new-labels source '("end")
          (lambda (end)
            (list (branch #f (cadr code) end)
                  (statement (caddr code))
                  (mark end))))
        (with-new-labels source '("else" "end")
          (lambda (otherwise end)
            (list (branch #f (cadr code) otherwise)
                  (statement (caddr code))
                  (go-to source end)
                  (mark otherwise)
                  (statement (cadddr code))
                  (mark end)))))))

;; The test stands at the end, so that a turn costs one branch. again: where $continue goes.
(define (loop-of source condition statements step)
  (with-new-labels source '("loop" "again" "test" "end")
    (lambda (top again test end)
      (list (go-to source test)
            (mark top)
            (list 'let `(($end-label ,end) ($again-label ,again)) (block-of source statements))
            (mark again)
            step
            (mark test)
            (branch #t condition top)
            (mark end)))))

(define (expand-while source)
  (let ((code (parts source)))
    (check source (and code (>= (length code) 2)) "expected ($while condition statement ...)")
    (loop-of source (cadr code) (cddr code) ''())))

;; ($for (register from end) statement ...): from `from` up to, not including, `end`.
(define (expand-for source)
  (let* ((code (parts source))
         (range (and code (pair? (cdr code)) (parts (cadr code)))))
    (check source (and range (= 3 (length range))) "expected ($for (register from end) statement ...)")
    (let ((register (car range)))
      (form source 'list
            (form source '$set register (cadr range))
            (loop-of source (form (cadr code) register '< (caddr range)) (cddr code)
                     (macro-form source "$for" (list 'asm/library/structured#step-code register)))))))

(define (step-code register) (list 'addi register register 1))

(define (jump-to label name)
  (if (not label) (macro-fail "`" name "` stands in no loop: expected it in a $while or a $for"))
  (list 'jump label))

(define (expand-break source)
  (macro-form source "$break" (list 'asm/library/structured#jump-to '$end-label ''$break)))
(define (expand-continue source)
  (macro-form source "$continue" (list 'asm/library/structured#jump-to '$again-label ''$continue)))

;; ($switch register ((constant ...) statement ...) ... (else statement ...))
(define (expand-switch source)
  (let* ((code (parts source))
         (clauses (and code (>= (length code) 3) (map parts (cddr code)))))
    (check source
           (and clauses (every (lambda (clause) (and (pair? clause) (or (eq? (datum (car clause)) 'else) (parts (car clause)))))
                               clauses))
           "expected ($switch register ((constant ...) statement ...) ... (else statement ...))")
    (let* ((cases (filter (lambda (clause) (not (eq? (datum (car clause)) 'else))) clauses))
           (others (find (lambda (clause) (eq? (datum (car clause)) 'else)) clauses))
           (labels (map (lambda (clause) (gensym 'case)) cases)))
      (with-new-labels source '("else" "end")
        (lambda (otherwise end)
          (list
           (list 'let (map (lambda (label) (list label '(unique-name "case"))) labels)
                 (form source 'list
                       (macro-form source "$switch"
                         (list 'asm/library/structured#switch-code (cadr code) '$window
                               (cons 'list (map (lambda (clause label) (list 'cons (cons 'list (parts (car clause))) label))
                                                cases labels))
                               otherwise))
                       (at source (cons 'list
                              (append-map (lambda (clause label)
                                            (list (mark label) (block-of source (cdr clause)) (go-to source end)))
                                          cases labels)))))
           (mark otherwise)
           (if others (block-of source (cdr others)) ''())
           (mark end)))))))

(define fewest-for-table 4)

;; cases: pairs of constants and a label. Dense constants are found in a table of distances, others one by one.
(define (switch-code register window cases otherwise)
  (let* ((all (append-map
               (lambda (case) (map (lambda (c) (cons (if (char? c) (char->integer c) c) (cdr case))) (car case)))
               cases))
         (numbers (map car all))
         (low (if (pair? numbers) (apply min numbers) 0))
         (count (if (pair? numbers) (+ 1 (- (apply max numbers) low)) 0)))
    (if (and (>= (length all) fewest-for-table) (<= count (* 3 (length all))))
        (let ((table (macro-unique-name "table")))
          (list (list 'addi window register (- low))
                (list 'jtab window count table)
                (list 'jump otherwise)
                (list '.align 4 0)
                (list 'label table)
                (map (lambda (i)
                       (let ((target (cond ((assv (+ low i) all) => cdr) (else otherwise))))
                         (macro-relocation (lambda () (macro-distance target table)) 4)))
                     (iota count))))
        (list (map (lambda (entry) (list 'beqi register (car entry) (cdr entry))) all)
              (list 'jump otherwise)))))

;; ---- the stack in memory -----------------------------------------------------------------------------

;; Registers cannot be pointed at. What needs an address of its own for as long as an activation lasts has a frame on
;; a stack in memory, which grows downwards; t0 is where it ends. $frame-length is how much of it the procedure
;; holds at this place, and gives back when it returns.

;; ($use-stack end), in the program's first procedure
(define (expand-use-stack source)
  (let ((code (parts source)))
    (check source (and code (= 2 (length code))) "expected ($use-stack end)")
    (macro-form source "$use-stack"
      (list 'asm/library/structured#use-stack-code '$window (value (cadr code))))))

(define (use-stack-code window value)
  (list (move window value) (list 'tset 't0 window)))

(define (move-stack register distance)
  (if (zero? distance)
      '()
      (list (list 'tget register 't0)
            (list 'addi register register distance)
            (list 'tset 't0 register))))

;; ($frame (local length) statement ...): local: the address of `length` bytes
(define (expand-frame source)
  (let* ((code (parts source))
         (local (and code (pair? (cdr code)) (parts (cadr code)))))
    (check source (and local (= 2 (length local))) "expected ($frame (local length) statement ...)")
    (let ((length (gensym 'length)))
      (form source 'let (list (list length (cadr local)))
            (form source 'list
                  ;; This leaves the new end in that register.
                  (macro-form source "$frame" (list 'asm/library/structured#move-stack '$window (list '- length)))
                  (list 'let `(($frame-length (+ $frame-length ,length)))
                        (with-registers source (list (datum (car local))) (block-of source (cddr code))))
                  (macro-form source "$frame" (list 'asm/library/structured#move-stack '$window length)))))))
