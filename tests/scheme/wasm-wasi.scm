;; WebAssembly programs: WASI preview 1 as they see it.
(use scheme-lib/util)
(use scheme-lib/test)
(use scheme-lib/machine)
(use scheme-lib/state)
(use scheme-lib/loaders/wasm/errors)
(use scheme-lib/loaders/loader)
(use scheme-lib/loaders/wasm/program)
(use scheme-lib/loaders/wasm/assemble)

(define wasi "wasi_snapshot_preview1")

;; A program that imports functions of WASI, each (name params), numbered from 0, whose code calls them; it exits with
;; what the code leaves. Type 0 is that of _start, type 1 that of proc_exit, which is function 0.
(define (program functions . code) (apply program-of wasi functions code))

(define (program-of wasi functions . code)
  (wasm->image
   (wasm-assemble
    `((type () ()) (type (i32) ())
      ,@(map (lambda (f) `(type ,(cadr f) (i32))) functions)
      (import ,wasi "proc_exit" function 1)
      ,@(map (lambda (f type) `(import ,wasi ,(car f) function ,type)) functions (iota (length functions) 2))
      (memory 1 2)
      (function 0 (i32) ,@code (call 0))
      (export "_start" function ,(+ 1 (length functions)))
      (data ((i32.const 64)) "hello, world")))))

;; What comes of a run: exit status or trap, output, and the bytes at 256 in memory.
(define (outcome image #!key (input "") (arguments '()) (bytes 0) (grants '())
                 (environment '()) (directory #f))
  (let* ((machine (make-machine arguments: arguments grants: grants random-seed: 1)) (stop #f)
         (output (begin
                   (machine-environment-set! machine environment)
                   (if directory (machine-directory! machine directory "/data" read-only: #t))
                   (machine-stream-set! machine 0 (open-input-string input))
                   (with-captured-output
                    (lambda () (machine-load! machine image) (set! stop (machine-run! machine)))))))
    (list (if (eq? 'halted (stop-reason stop)) (stop-exit-status stop) (stop-trap stop))
          output
          (if (= bytes 0) #f (utf8->string (machine-memory machine (+ 256 (machine-symbol machine "memory")) bytes))))))

(define four '(i32 i32 i32 i32))

;; Instructions that put numbers of 32 bits into memory.
(define (put . places-and-values)
  (if (null? places-and-values)
      '()
      (append `((i32.const ,(car places-and-values)) (i32.const ,(cadr places-and-values)) (i32.store 2 0))
              (apply put (cddr places-and-values)))))

(define (call f . arguments) (append (map (lambda (a) `(i32.const ,a)) arguments) `((call ,f))))

;; What is written in pieces of FUEL instructions, each in a new machine that goes on from the state of the one before.
(define (output-in-pieces image fuel)
  (define (run-piece machine)
    (machine-stream-set! machine 1 'output)
    (let ((stop (machine-run! machine fuel)))
      (if (eq? 'out-of-fuel (stop-reason stop))
          (let* ((state (read-state (machine->bytes machine))) (next (make-machine-for-state state)))
            (machine-restore-state! next state)
            (run-piece next))
          (stop-exit-status stop))))
  (let* ((machine (make-machine)) (status #f)
         (output (with-captured-output
                  (lambda () (machine-load! machine image) (set! status (run-piece machine))))))
    (list status output)))

(test-group "WASI"
  (test "writes several buffers, and tells how many bytes" '(12 "hello, world" #f)
    (outcome (apply program `(("fd_write" ,four))
                    (append (put 0 64 4 7 8 0 12 0 16 71 20 5) (call 1 1 0 3 32)
                            '((drop) (i32.const 32) (i32.load 2 0))))))
  (test "reads what there is" '(3 "" "abc")
    (outcome (apply program `(("fd_read" ,four))
                    (append (put 0 256 4 9) (call 1 0 0 1 32) '((drop) (i32.const 32) (i32.load 2 0))))
             input: "abc" bytes: 3))
  (test "gives numbers for what is wrong" '((8 "" #f) (8 "" #f) (70 "" #f) (8 "" #f))
    (list (outcome (apply program `(("fd_write" ,four)) (append (put 0 64 4 7) (call 1 7 0 1 32))))
          (outcome (apply program `(("fd_close" (i32))) (call 1 3)))
          (outcome (apply program `(("fd_seek" (i32 i64 i32 i32)))
                          '((i32.const 1) (i64.const 0) (i32.const 0) (i32.const 0) (call 1))))
          (outcome (apply program `(("path_filestat_get" (i32 i32 i32 i32 i32))) (call 1 3 0 0 0 0)))))
  (test "a buffer that is not there traps" '(read "" #f)
    (outcome (apply program `(("fd_write" ,four)) (append (put 0 131072 4 7) (call 1 1 0 1 32)))))
  (test "counts and gives arguments" '(7 "" "one\x00;two")
    (let ((sizes (append (call 1 0 4) '((drop) (i32.const 0) (i32.load 2 0) (i32.const 4) (i32.load 2 0) (i32.add))))
          (give (append (call 2 512 256) '((drop)))))
      (let ((image (apply program '(("args_sizes_get" (i32 i32)) ("args_get" (i32 i32)))
                          (append give sizes '((i32.const -3) (i32.add))))))
        (outcome image arguments: '("one" "two") bytes: 7))))
  (test "counts and gives the environment" '(10 "" "A=1\x00;BC=\x00;")
    (let ((sizes (append (call 1 0 4) '((drop) (i32.const 0) (i32.load 2 0) (i32.const 4) (i32.load 2 0) (i32.add))))
          (give (append (call 2 512 256) '((drop)))))
      (outcome (apply program '(("environ_sizes_get" (i32 i32)) ("environ_get" (i32 i32))) (append give sizes))
               environment: '("A=1" "BC=") bytes: 8)))
  (test "tells of granted directories" '(13 "" "/data")
    (outcome (apply program '(("fd_prestat_get" (i32 i32)) ("fd_prestat_dir_name" (i32 i32 i32)))
                    (append (call 2 3 256 5) (call 1 3 32) '((i32.add)) (call 1 4 32)
                            '((i32.add) (i32.const 36) (i32.load 2 0) (i32.add))))
             directory: "tests/scheme" bytes: 5))
  ;; The first word of a file, through path_open, fd_seek and fd_read.
  (test "opens and reads files in them" '(0 "" "WebAssembly")
    (outcome (apply program
                    '(("path_open" (i32 i32 i32 i32 i32 i64 i64 i32 i32)) ("fd_seek" (i32 i64 i32 i32))
                      ("fd_read" (i32 i32 i32 i32)))
                    `(,@(put 16 #x6d736177 20 #x7361772d 24 #x63732e69 28 #x6d 0 256 4 11)
                      (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 13) (i32.const 0) (i64.const 2) (i64.const 0)
                      (i32.const 0) (i32.const 32) (call 1)
                      (i32.const 32) (i32.load 2 0) (i64.const 3) (i32.const 0) (i32.const 40) (call 2) (i32.or)
                      (i32.const 32) (i32.load 2 0) (i32.const 0) (i32.const 1) (i32.const 48) (call 3) (i32.or)))
             directory: "tests/scheme" bytes: 11))
  (test "what came before preview 1 counted otherwise where seeking begins, and its records are not there" '(57 "" #f)
    (outcome (apply program-of "wasi_unstable"
                    '(("path_open" (i32 i32 i32 i32 i32 i64 i64 i32 i32)) ("fd_seek" (i32 i64 i32 i32))
                      ("fd_filestat_get" (i32 i32)))
                    `(,@(put 16 #x6d736177 20 #x7361772d 24 #x63732e69 28 #x6d)
                      (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 13) (i32.const 0) (i64.const 2) (i64.const 0)
                      (i32.const 0) (i32.const 32) (call 1)
                      (i32.const 32) (i32.load 2 0) (i64.const 3) (i32.const 2) (i32.const 40) (call 2) (i32.or)
                      (i32.const 32) (i32.load 2 0) (i64.const 2) (i32.const 0) (i32.const 40) (call 2) (i32.or)
                      (i32.const 40) (i32.load 2 0) (i32.add)
                      (i32.const 32) (i32.load 2 0) (i32.const 64) (call 3) (i32.add)))
             directory: "tests/scheme"))
  (test-error "an environment is a list of settings" "an environment is a list of strings NAME=VALUE, not"
    (outcome (program '() '(i32.const 0)) environment: "A=1"))
  (test-error "which have a name" "`=1` is no setting of the environment, NAME=VALUE"
    (outcome (program '() '(i32.const 0)) environment: '("=1")))
  (test-error "a directory is there" "cannot be opened: No such file or directory"
    (outcome (program '() '(i32.const 0)) directory: "tests/none"))
  (test "has clocks where they are granted" '(0 "" #f)
    (outcome (apply program `(("clock_time_get" (i32 i64 i32)))
                    '((i32.const 1) (i64.const 0) (i32.const 0) (call 1)
                      (i32.const 0) (i64.load 3 0) (i64.eqz) (i32.or)))
             grants: '(clock)))
  (test "fills memory with random bytes" '(0 "" #f)
    (outcome (apply program `(("random_get" (i32 i32)))
                    (append (call 1 256 70) '((i32.const 256) (i64.load 0 0) (i64.eqz) (i32.or))))
             grants: '(random)))
  (test-error "and else the program is not even loaded" "needs the host call \"clock\""
    (outcome (apply program `(("clock_time_get" (i32 i64 i32)))
                    '((i32.const 1) (i64.const 0) (i32.const 0) (call 1)))))
  (test "a program goes on elsewhere where it was stopped" '(2 "hello, world\nhello, world\nhello, world\n")
    (output-in-pieces
     (apply program `(("fd_write" ,four))
            (append (put 0 64 4 12 8 60 12 1 60 10) '((i32.const 3) (local.set 0) (loop)) (call 1 1 0 2 32)
                    '((drop) (i32.const 1) (memory.grow 0) (drop)
                      (local.get 0) (i32.const 1) (i32.sub) (local.tee 0) (br_if 0) (end) (memory.size 0))))
     17))
  (test "a file of it is loaded by its content" '(5 "" #f)
    (let ((bytes (wasm-assemble `((type () ()) (type (i32) ()) (import ,wasi "proc_exit" function 1)
                                  (function 0 () (i32.const 5) (call 0)) (export "_start" function 1)))))
      (outcome (bytes->image bytes "five.wasm"))))
  (test-error "what is wrong with a file is told with its name" "bad.wasm: WebAssembly: unknown binary version"
    (bytes->image '#u8(0 97 115 109 9 0 0 0) "bad.wasm"))
  (test "what the system does not have is a host call of that name" '(42 "" #f)
    (let* ((machine (make-machine)) (stop #f))
      (machine-host-call! machine "env.half" 1 (lambda (machine n) (quotient n 2)))
      (machine-load! machine
        (wasm->image (wasm-assemble `((type () ()) (type (i32) ()) (type (i32) (i32)) (import ,wasi "proc_exit" function 1)
                                      (import "env" "half" function 2)
                                      (function 0 () (i32.const 84) (call 1) (call 0)) (export "_start" function 2)))))
      (list (stop-exit-status (machine-run! machine)) "" #f)))
  (test-error "which has to be granted" "needs the host call \"env.f\""
    (outcome (wasm->image (wasm-assemble '((type () ()) (import "env" "f" function 0))))))
  (test-error "and cannot have any name" "unknown import: function f! of module env: no host call can be called `env.f!`"
    (wasm->image (wasm-assemble '((type () ()) (import "env" "f!" function 0)))))
  (test-error "a program has its own memory" "unknown import: memory m of module env"
    (wasm->image (wasm-assemble '((import "env" "m" memory 1))))))
