;; WASI preview 1. Each function is a routine over the standard host calls, so that the runner needs no Scheme:
;; descriptors, paths and structures are the host calls' own; what is left to do is addresses and error numbers.
;;
;; A routine gets its arguments in r1, r2, ... and gives an error number, 0 for none, in r1. Addresses are from `m` on,
;; where the linear memory begins; what is not there traps.
(module scheme-lib/loaders/wasm/wasi)
(use scheme-lib/util)
(declare (block))

(define bad-descriptor 8)
(define invalid 28)
(define input-output 29)
(define long-name 37)
(define not-implemented 52)
(define no-socket 57)
(define not-supported 58)
(define not-capable 76)

;; Errors of host calls, without their sign, and WASI's.
(define errors
  `((1 63) (2 44) (9 ,bad-descriptor) (12 48) (13 2) (16 10) (17 20) (18 75) (20 54) (21 31) (22 ,invalid) (24 33)
    (27 22) (28 51) (29 70) (30 69) (32 64) (36 ,long-name) (39 55) (40 32)))

;; name -> procedure of m, which gives the routine; and for those that are others in what came before preview 1.
(define functions (make-table))
(define unstable-functions (make-table))
(define (define-function! name procedure) (table-set! functions name procedure))

;; What a module can import from `comet`.
(define standard-calls
  '("exit" "read" "write" "poll" "arg_count" "arg" "env_count" "env" "clock" "random" "map" "file_open" "file_close"
    "file_renumber" "file_seek" "file_read_at" "file_write_at" "file_set_size" "file_sync" "file_set_append" "file_flags"
    "file_status" "file_set_times" "dir_name" "dir_list" "path_status" "path_set_times" "path_make_dir" "path_remove_dir"
    "path_remove" "path_rename" "path_link" "path_make_link" "path_read_link"))

;; What serves the function NAME of MODULE when nobody gave something else: a procedure of m that gives a routine, the
;; name of a host call, or #f.
(define (system-function module name)
  (cond ((string=? module "wasi_snapshot_preview1") (table-ref functions name #f))
        ((string=? module "wasi_unstable") (table-ref unstable-functions name (table-ref functions name #f)))
        ((string=? module "comet") (and (member name standard-calls) name))
        (else #f)))

;; ---- pieces of routines ------------------------------------------------------------------------------

;; The error for what a host call gave in a register, negative.
(define (error-of register)
  `(,@(append-map (lambda (error) `((imm 1 ,(cadr error)) (beqi ,register ,(- (car error)) end))) errors)
    (imm 1 ,input-output)
    end (ret)))

(define (always number) (lambda (m) `((imm 1 ,number) (ret))))

;; Calls a host call. An operand is a register, (at register) for an address in linear memory, (number constant).
(define (host-call m call . operands)
  `(,@(map (lambda (operand register)
             (cond ((not (pair? operand)) `(mov ,register ,operand))
                   ((eq? 'at (car operand)) `(addi ,register ,(cadr operand) ,m))
                   (else `(imm ,register ,(cadr operand)))))
           operands (iota (length operands) 11))
    (hcall 10 ,call)))

;; The same, and the routine ends with its error, or goes on to `forms` and ends without one.
(define (through-host m call operands . forms)
  `(,@(apply host-call m call operands)
    (blti_s 11 0 failed)
    ,@forms
    (imm 1 0) (ret)
    failed ,@(error-of 11)))

;; A routine that is a host call; `result` is the register with the address where its result goes, if any, which takes
;; so many bits.
(define (by call operands #!optional (result #f) (bits 32))
  (lambda (m)
    (apply through-host m call operands
           (if result `((,(if (= bits 64) 'st64 'st32) ,result 11 ,m)) '()))))

;; As `routine`, a procedure of m, but `number` where an argument is `most` or more.
(define (below most register number routine)
  (lambda (m) `((blti_u ,register ,most fine) (imm 1 ,number) (ret) fine ,@(routine m))))

;; ---- streams and files -------------------------------------------------------------------------------

;; fd, buffers, how many, where the number of bytes goes; with `offset`, the register of the place in the file, too, in
;; which case the address of the number is in the next one. Ends with the first buffer that was not filled or written
;; in full.
(define (transfer call #!optional (offset #f))
  (lambda (m)
    (let ((to (if offset (+ offset 1) 4)))
      `((imm 6 0)
        again
        (beqi 3 0 done)
        (ldu32 13 2 ,(+ m 4))
        (beqi 13 0 next)
        (ldu32 12 2 ,m)
        (addi 12 12 ,m)
        (mov 11 1)
        (mov 7 13)
        ,@(if offset `((mov 14 ,offset)) '())
        (hcall 10 ,call)
        (blti_s 11 0 failed)
        (add 6 6 11)
        ,@(if offset `((add ,offset ,offset 11)) '())
        (bne 11 7 done)
        next
        (addi 2 2 8)
        (addi32 3 3 -1)
        (jump again)
        failed
        (bnei 6 0 done)
        ,@(error-of 11)
        done
        (st32 ,to 6 ,m)
        (imm 1 0)
        (ret)))))

(define-function! "fd_write" (transfer "write"))
(define-function! "fd_read" (transfer "read"))
(define-function! "fd_pwrite" (transfer "file_write_at" 4))
(define-function! "fd_pread" (transfer "file_read_at" 4))
(define-function! "fd_close" (by "file_close" '(1)))
(define-function! "fd_renumber" (by "file_renumber" '(1 2)))
(define-function! "fd_seek" (by "file_seek" '(1 2 3) 4 64))
(define-function! "fd_tell" (by "file_seek" '(1 (number 0) (number 1)) 2 64))
(define-function! "fd_sync" (by "file_sync" '(1)))
(define-function! "fd_datasync" (by "file_sync" '(1)))
;; There are six kinds of advice, of which none changes anything.
(define-function! "fd_advise" (below 6 4 invalid (by "file_seek" '(1 (number 0) (number 1)))))

;; fd, from where, how many: the file becomes as long as that needs. How long it is, seeking tells.
(define-function! "fd_allocate"
  (lambda (m)
    `((beqi 3 0 bad)
      (add 3 2 3) (blt_u 3 2 bad)
      ,@(host-call m "file_seek" 1 '(number 0) '(number 1)) (blti_s 11 0 failed) (mov 4 11)
      ,@(host-call m "file_seek" 1 '(number 0) '(number 2)) (blti_s 11 0 failed) (mov 5 11)
      ,@(host-call m "file_seek" 1 4 '(number 0)) (blti_s 11 0 failed)
      ,@(host-call m "file_flags" 1) (andi 11 11 2) (bnei 11 0 writable) (imm 1 ,bad-descriptor) (ret)
      writable
      (bge_u 5 3 done)
      ,@(host-call m "file_set_size" 1 3) (blti_s 11 0 failed)
      done (imm 1 0) (ret)
      bad (imm 1 ,invalid) (ret)
      failed ,@(error-of 11))))

(define-function! "fd_filestat_set_size" (by "file_set_size" '(1 2)))
(define-function! "fd_filestat_set_times" (by "file_set_times" '(1 2 3 4)))
(define-function! "fd_fdstat_set_flags"
  (lambda (m) `((andi 2 2 1) (shli 2 2 6) ,@(through-host m "file_set_append" '(1 2)))))

;; Rights tell whether a file was opened for reading and for writing, and stay so. A stream can be read and written, and
;; nothing else.
(define all-rights #x1fffffff)
(define rights-to-read #x4002)
(define rights-to-write #x40)
(define rights-of-streams #x42)

;; What `file_flags` gave in r11 as rights, in r8, and those that files opened in it get, in r9. Seeking tells a stream:
;; it has no places.
(define (rights m)
  `((mov 7 11)
    ,@(host-call m "file_seek" 1 '(number 0) '(number 1))
    (imm 9 0) (imm 8 ,rights-of-streams) (beqi 11 -29 known)
    (imm 9 ,all-rights) (imm 8 ,all-rights)
    (andi 4 7 1) (bnei 4 0 readable) (imm 8 ,(- all-rights rights-to-read))
    readable
    (andi 4 7 2) (bnei 4 0 known) (andi 8 8 ,(- all-rights rights-to-write))
    known))

(define-function! "fd_fdstat_get"
  (lambda (m)
    (apply through-host m "file_flags" '(1)
      `((shri_u 3 11 8) (st64 2 3 ,m)
        (shri_u 3 11 6) (andi 3 3 1) (st16 2 3 ,(+ m 2))
        ,@(rights m)
        (st64 2 8 ,(+ m 8)) (st64 2 9 ,(+ m 16))))))

;; fd, rights, rights to hand on: those that it has, and no others. None can be taken away.
(define-function! "fd_fdstat_set_rights"
  (lambda (m)
    (apply through-host m "file_flags" '(1)
      `(,@(rights m)
        (or 4 2 8) (bne 4 8 more) (or 4 3 9) (bne 4 9 more)
        (bne 2 8 fewer) (bne 3 9 fewer)
        (imm 1 0) (ret)
        more (imm 1 ,not-capable) (ret)
        fewer (imm 1 ,not-supported) (ret)))))

(define-function! "fd_filestat_get" (by "file_status" '(1 (at 2))))

;; ---- directories -------------------------------------------------------------------------------------

(define-function! "fd_prestat_get"
  (lambda (m)
    (through-host m "dir_name" '(1 (number 0) (number 0))
      `(st64 2 0 ,m) `(st32 2 11 ,(+ m 4)))))
(define-function! "fd_prestat_dir_name"
  (lambda (m)
    (through-host m "dir_name" '(1 (at 2) 3)
      '(bge_u 3 11 fits) `(imm 1 ,long-name) '(ret)
      'fits)))
(define-function! "fd_readdir" (by "dir_list" '(1 (at 2) 3 4) 5))

;; What a path leads to is followed where the lookup flags in a register say so; `file_open` has that in bit 7.
(define (follow register) `((andi ,register ,register 1) (shli ,register ,register 7)))

;; fd, lookup flags, path, length, how to open, rights, rights to hand on, flags, where the descriptor goes
(define-function! "path_open"
  (lambda (m)
    `(,@(follow 2)
      (andi 5 5 15) (shli 5 5 2) (or 2 2 5)
      (andi 8 8 1) (shli 8 8 6) (or 2 2 8)
      (andi 5 6 ,rights-to-read) (nei 5 5 0) (or 2 2 5)
      (andi 5 6 ,rights-to-write) (shri_u 5 5 5) (or 2 2 5)
      ,@(through-host m "file_open" '(1 (at 3) 4 2) `(st32 9 11 ,m)))))

(define-function! "path_filestat_get"
  (lambda (m) `(,@(follow 2) ,@(through-host m "path_status" '(1 (at 3) 4 2 (at 5))))))
(define-function! "path_filestat_set_times"
  (lambda (m) `(,@(follow 2) ,@(through-host m "path_set_times" '(1 (at 3) 4 2 5 6 7)))))
(define-function! "path_create_directory" (by "path_make_dir" '(1 (at 2) 3)))
(define-function! "path_remove_directory" (by "path_remove_dir" '(1 (at 2) 3)))
(define-function! "path_unlink_file" (by "path_remove" '(1 (at 2) 3)))
(define-function! "path_rename" (by "path_rename" '(1 (at 2) 3 4 (at 5) 6)))
;; Nothing but a link to the symbolic link itself.
(define-function! "path_link" (below 1 2 invalid (by "path_link" '(1 (at 3) 4 5 (at 6) 7))))
(define-function! "path_symlink" (by "path_make_link" '(3 (at 4) 5 (at 1) 2)))
(define-function! "path_readlink" (by "path_read_link" '(1 (at 2) 3 (at 4) 5) 6))

(define-function! "poll_oneoff" (by "poll" '((at 1) (at 2) 3) 4))

;; ---- arguments and environment -----------------------------------------------------------------------

;; The host call that gives a text tells how long it is when there is no room.
(define (sizes count one)
  (lambda (m)
    `((mov 11 0) (hcall 10 ,count) (mov 3 11) (st32 1 3 ,m) (mov 4 0) (mov 5 0)
      again
      (bge_u 4 3 done)
      (mov 11 4) (mov 12 0) (mov 13 0) (hcall 10 ,one)
      (add 5 5 11) (addi 5 5 1) (addi 4 4 1)
      (jump again)
      done
      (st32 2 5 ,m) (imm 1 0) (ret))))

(define (texts count one)
  (lambda (m)
    `((mov 11 0) (hcall 10 ,count) (mov 3 11) (mov 4 0)
      again
      (bge_u 4 3 done)
      (st32 1 2 ,m)
      (mov 11 4) (mov 12 0) (mov 13 0) (hcall 10 ,one)
      (mov 13 11) (mov 11 4) (addi 12 2 ,m) (hcall 10 ,one)
      (add 2 2 11) (st8 2 0 ,m) (addi 2 2 1) (addi 1 1 4) (addi 4 4 1)
      (jump again)
      done
      (imm 1 0) (ret))))

(define-function! "args_sizes_get" (sizes "arg_count" "arg"))
(define-function! "args_get" (texts "arg_count" "arg"))
(define-function! "environ_sizes_get" (sizes "env_count" "env"))
(define-function! "environ_get" (texts "env_count" "env"))

;; ---- clocks, randomness, the end ---------------------------------------------------------------------

;; Clock 0 is the time of day; the others only grow.
(define-function! "clock_time_get"
  (lambda (m)
    `((bgei_u 1 4 bad)
      (nei 11 1 0) (hcall 10 "clock") (st64 3 11 ,m) (imm 1 0) (ret)
      bad (imm 1 ,invalid) (ret))))

(define-function! "clock_res_get"
  (lambda (m) `((bgei_u 1 4 bad) (imm 3 1) (st64 2 3 ,m) (imm 1 0) (ret) bad (imm 1 ,invalid) (ret))))

(define-function! "random_get"
  (lambda (m)
    `((addi 1 1 ,m)
      again
      (beqi 2 0 done)
      (mov 11 1) (mov 12 2) (hcall 10 "random")
      (add 1 1 11) (sub 2 2 11)
      (jump again)
      done
      (imm 1 0) (ret))))

(define-function! "proc_exit" (lambda (m) `((mov 11 1) (hcall 10 "exit") (ret))))
(define-function! "sched_yield" (always 0))

;; ---- what there is not -------------------------------------------------------------------------------

(define-function! "proc_raise" (always not-implemented))

;; What is open is no socket.
(for-each
 (lambda (name)
   (define-function! name (lambda (m) (through-host m "file_flags" '(1) `(imm 1 ,no-socket) '(ret)))))
 '("sock_accept" "sock_recv" "sock_send" "sock_shutdown"))

;; ---- before preview 1 --------------------------------------------------------------------------------

;; Seeking counted from here, the end, the beginning; and records had another shape, which are not written in this one.
(table-set! unstable-functions "fd_seek"
  (below 3 3 invalid
    (lambda (m)
      `((nei 5 3 2) (addi 3 3 1) (mul 3 3 5) ,@(through-host m "file_seek" '(1 2 3) `(st64 4 11 ,m))))))
(for-each
 (lambda (name) (table-set! unstable-functions name (always not-implemented)))
 '("fd_filestat_get" "path_filestat_get" "poll_oneoff"))
