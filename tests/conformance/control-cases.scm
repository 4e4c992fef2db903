;;; control-cases.scm: branches, jumps, calls, thread registers, host calls and what ends a run.

(define code-address #x18000)   ; where the driver puts the instruction of a scenario, unless it moves it
(define high-code-page #x200000000000)

;; Distances to jump over: short and long fields, backward, another page, beyond 4 GiB, not mapped, not
;; executable, onto itself, round the end of the address space.
(define (distances)
  (list #x40 #x3f -40 -64 -65 #x1000 #x2000 #x-2000 #x7000 #x-7000
        (- #xb0100 code-address)
        (- high-code-page code-address) (- (+ high-code-page #x1234) code-address)
        (- #x20000 code-address) (- #x60000 code-address) (- #x70000 code-address) (- code-address)
        (- #xfffffffff0000000 code-address (expt 2 64)) #x7fffffffffff0000 (- (expt 2 63)) 0))

(define (go-to distance) (list (program-counter (relative distance))))

;; ---- branches -------------------------------------------------------------------------------------

(define (write-branch-cases instruction)
  (let* ((name (instruction-name instruction))
         (operands (instruction-operands instruction))
         (immediate? (char=? (cadr operands) #\i)))
    (define (one first second distance)
      (let ((taken? (oracle-result name (list first second))))
        (write-scenario name
                        (if immediate? (list 1 second distance) (list 1 2 distance))
                        (cons (register 1 first) (if immediate? '() (list (register 2 second))))
                        (if taken? (go-to distance) '()))))
    (for-each-value-case instruction (list (car operands) (cadr operands))
                         (lambda (values) (one (car values) (cadr values) (take-turn '(#x40 -64 #x1000 #x-2000 #x98000)))))
    (for-each (lambda (distance)
                (for-each (lambda (pair) (one (car pair) (cadr pair) distance))
                          '((1 1) (0 1) (2 1))))
              (distances))
    (if immediate?
        (begin
          (write-scenario name '(0 0 #x40) '() (if (oracle-result name '(0 0)) (go-to #x40) '()))
          (write-scenario name '(#x11170 5 #x40) (list (register #x11170 5)) (if (oracle-result name '(5 5)) (go-to #x40) '())))
        (begin
          (write-scenario name '(0 0 #x40) '() (if (oracle-result name '(0 0)) (go-to #x40) '()))
          (write-scenario name '(3 3 #x40) (list (register 3 #x7ff8000000000000))
                          (if (oracle-result name '(#x7ff8000000000000 #x7ff8000000000000)) (go-to #x40) '()))
          (write-scenario name '(#x11170 #x11171 #x40) (list (register #x11170 5) (register #x11171 6))
                          (if (oracle-result name '(5 6)) (go-to #x40) '()))))))

;; ---- jumps and calls ------------------------------------------------------------------------------

(define targets
  (list #x18100 #x10000 #xb0010 high-code-page (+ high-code-page #xfff8) #x20000 #x60000 #x70000 0 #xffffffffffffffff
        #x8000000000000000))

;; The program counter after a jump to an absolute address, as the driver may move the code.
(define (absolute target) (list (program-counter target)))

(define (write-control-cases name)
  (case name
    ((brk) (write-scenario name '() '() (list (trap 'brk))))
    ((nop) (write-scenario name '() '() '()))
    ((halt) (write-scenario name '() '() '("halt" "pc=pc+0")))
    ((trap)
     (for-each (lambda (code) (write-scenario name (list code) '() (list (trap 'user code)))) word-edges))
    ((pcimm spcimm)
     (for-each (lambda (value)
                 (for-each (lambda (destination)
                             (write-scenario name (list destination value) '()
                                             (list (register destination (relative (if (eq? name 'pcimm) value (- value)))))))
                           '(1 0 #x11170)))
               (append word-edges (map (lambda (n) (random-magnitude)) (iota 40)))))
    ((tget)
     (for-each (lambda (n)
                 (for-each (lambda (value)
                             (write-scenario name (list 1 n) (list (thread-register n value)) (list (register 1 value))))
                           '(0 1 #x8000000000000000 #xffffffffffffffff))
                 (write-scenario name (list 0 n) (list (thread-register n 77)) '()))
               (iota 16))
     (bad-thread-registers (lambda (n) (write-scenario name (list 1 n) '() (list (trap 'illegal))))))
    ((tset)
     (for-each (lambda (n)
                 (for-each (lambda (value)
                             (write-scenario name (list n 1) (list (register 1 value)) (list (thread-register n value))))
                           '(0 1 #x8000000000000000 #xffffffffffffffff))
                 (write-scenario name (list n 0) (list (thread-register n 77)) (list (thread-register n 0))))
               (iota 16))
     (bad-thread-registers (lambda (n) (write-scenario name (list n 1) '() (list (trap 'illegal))))))
    ((jump)
     (for-each (lambda (distance) (write-scenario name (list distance) '() (go-to distance))) (distances)))
    ((jumpr)
     (for-each (lambda (target)
                 (write-scenario name '(1) (list (register 1 target)) (absolute target)))
               targets)
     (write-scenario name '(0) '() (absolute 0)))
    ((jal)
     (for-each (lambda (distance)
                 (write-scenario name (list 1 distance) '() (cons (register 1 "next") (go-to distance)))
                 (write-scenario name (list 0 distance) '() (go-to distance)))
               (distances)))
    ((jalr)
     (for-each (lambda (target)
                 (write-scenario name '(1 2) (list (register 2 target)) (cons (register 1 "next") (absolute target)))
                 (write-scenario name '(0 2) (list (register 2 target)) (absolute target))
                 ;; the target is read before the link is written
                 (write-scenario name '(2 2) (list (register 2 target)) (cons (register 2 "next") (absolute target))))
               targets))
    ((brz)
     (for-each (lambda (target)
                 (for-each (lambda (test)
                             (define (go link) (if (= test 0) (cons link (absolute target)) (list link)))
                             (write-scenario name '(1 2 3) (list (register 2 test) (register 3 target)) (go (register 1 "next")))
                             (write-scenario name '(3 2 3) (list (register 2 test) (register 3 target)) (go (register 3 "next")))
                             (write-scenario name '(2 2 3) (list (register 2 test) (register 3 target)) (go (register 2 "next")))
                             (write-scenario name '(0 2 3) (list (register 2 test) (register 3 target))
                                             (if (= test 0) (absolute target) '())))
                           '(0 1 #x100000000 #x8000000000000000))
                 (write-scenario name '(1 0 3) (list (register 3 target)) (cons (register 1 "next") (absolute target)))
                 (write-scenario name '(3 3 3) (list (register 3 target))
                                 (cons (register 3 "next") (if (= target 0) (absolute target) '()))))
               targets))
    ((call)
     (for-each (lambda (distance)
                 (for-each (lambda (base)
                             (write-scenario name (list base distance) '() (append (entered base base 2) (go-to distance))))
                           '(0 1 5 40 1000)))
               (distances))
     (write-scenario name '(7 #x40) '("call=5") (append (entered 7 12 3) (go-to #x40))))
    ((callr)
     (for-each (lambda (target)
                 (for-each (lambda (base)
                             (write-scenario name (list base 1) (list (register 1 target))
                                             (append (entered base base 2) (absolute target))))
                           '(0 1 2 5 40 1000)))
               targets)
     (write-scenario name '(7 0) '() (append (entered 7 7 2) (absolute 0)))
     (write-scenario name '(7 1) (list "call=5" (register 1 #x18100))
                     (append (entered 7 12 3) (absolute #x18100))))
    ((ret)
     (write-scenario name '() '() '("halt" "pc=pc+0"))
     (for-each (lambda (base)
                 (write-scenario name '() (list (string-append "call=" (hexadecimal base)))
                                 (list "depth=1" "window=0" "pc=return")))
               '(0 1 5 40 1000)))
    ((tail)
     (for-each (lambda (distance)
                 (write-scenario name (list distance) '() (go-to distance))
                 (write-scenario name (list distance) '("call=5") (go-to distance)))
               (distances)))
    ((tailr)
     (for-each (lambda (target)
                 (write-scenario name '(1) (list (register 1 target)) (absolute target))
                 (write-scenario name '(1) (list "call=5" (register 1 target)) (absolute target)))
               targets)
     (write-scenario name '(0) '() (absolute 0)))
    ((hcall) (write-host-call-cases name))
    ((jtab) (write-jump-table-cases name))
    (else (error "control-cases.scm has no cases for" name))))

;; Register 0 of the callee is the caller's register `base`, which becomes 0.
(define (entered base window depth)
  (append (list (string-append "window=" (hexadecimal window)) (string-append "depth=" (hexadecimal depth)))
          (if (= base 0) '() (list (register base 0)))))

(define (bad-thread-registers use)
  (for-each use '(16 17 31 127 128 255 256 65536 #x100000000 #x100000001 #x8000000000000000 #xffffffffffffffff)))

;; The driver's import list: 0 sum: the first argument + 3 times the second; 1 refuse; 2 not granted;
;; 3 load: the u64 at the first argument; 4 store: the second argument as a u64 at the first.
(define (write-host-call-cases name)
  (for-each
   (lambda (base)
     (for-each
      (lambda (a)
        (for-each
         (lambda (b)
           (write-scenario name (list base 0) (list (register (+ base 1) a) (register (+ base 2) b))
                           (list (register (+ base 1) (u64 (+ a (* 3 b)))))))
         '(0 1 #xffffffffffffffff)))
      '(0 5 #x8000000000000000)))
   '(0 1 10 200 #x11170))
  (for-each (lambda (index) (write-scenario name (list 10 index) '() (list (trap 'host_call))))
            '(1 2 5 6 127 128 #xffff #xffffffff #x100000000 #x8000000000000000 #xffffffffffffffff))
  (for-each
   (lambda (address)
     (write-scenario name '(10 3) (list (register 11 address))
                     (word-or-trap address 8 #\r (lambda () (list (register 11 (memory-word '() address 8))))))
     (write-scenario name '(10 4) (list (register 11 address) (register 12 #x1122334455667788))
                     (word-or-trap address 8 #\w
                                   (lambda () (memory (word->bytes address 8 #x1122334455667788))))))
   (distinct (access-addresses 8))))

;; The table holds s32 distances from its own beginning.
(define (write-jump-table-cases name)
  (define table #x30100)
  (define (word-at address value) (memory (word->bytes address 4 (u32 value))))
  (write-scenario name (list 1 0 (- table code-address)) (list (register 1 0)) '())
  (for-each
   (lambda (entry)
     (for-each
      (lambda (index)
        (write-scenario name (list 1 8 (- table code-address))
                        (append (list (register 1 index)) (word-at (+ table (* 4 index)) entry))
                        (if (< index 8) (absolute (+ table entry)) '())))
      '(0 1 7 8 9)))
   (list 0 (- #x18100 table) (- #x10000 table) (- #xb0010 table) #x-30100 #x7fffffff #x-80000000))
  ;; no entry is read when the index is too large
  (for-each (lambda (index)
              (write-scenario name (list 1 8 (- #x60000 code-address)) (list (register 1 index)) '()))
            '(8 #x100000000 #x8000000000000000 #xffffffffffffffff))
  ;; tables where nothing may be read, across borders, beyond 4 GiB, at the end of the address space
  (for-each
   (lambda (place)
     (let* ((table (car place)) (index (cadr place))
            (address (u64 (+ table (* 4 index)))))
       ;; the bound allows every index but the greatest word
       (write-scenario name (list 1 u64-maximum (signed 64 (- table code-address))) (list (register 1 index))
                       (word-or-trap address 4 #\r
                                     (lambda ()
                                       (absolute (u64 (+ table (s32 (memory-word '() address 4))))))))))
   (list '(#x60000 0) '(#x70000 3) '(#x50000 0) '(#x2fffe 0) '(#x3fffe 0) '(#x4fffe 0) '(#x9fffc 0) '(#x9fffc 1) '(#x9fffd 0)
         '(#x7fffe 0) '(#xfffffffe 0) '(#x100000000 2) '(#x123456780000 100) '(#x20000 #x4000) '(#x20000 #x7fff)
         '(#x20000 #x8000) '(#x20000 #x4000000000000000) '(#x20000 #xfffffffffffffffe) '(#x20010 #x7ffffffffffffffe)
         (list (- address-space-size 4) 0) (list (- address-space-size 3) 0) (list (- address-space-size 4) 1)
         (list (- address-space-size 1) 0) '(0 0))))
