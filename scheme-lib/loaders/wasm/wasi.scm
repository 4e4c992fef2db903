;; WASI preview 1, the part that programs use which read, write, compute and end: arguments, standard streams, clocks,
;; randomness, exit. Each function is a routine over the standard host calls, so that the runner needs no Scheme. There
;; are no files: descriptors are 0, 1 and 2, and a path leads nowhere.
;;
;; A routine gets its arguments in r1, r2, ... and gives an error number, 0 for none, in r1. Addresses are from `m` on,
;; where the linear memory begins; what is not there traps.
(module scheme-lib/loaders/wasm/wasi)
(use scheme-lib/util)
(declare (block))

(define bad-descriptor 8)
(define invalid 28)
(define input-output 29)
(define not-supported 52)
(define closed-pipe 64)
(define cannot-seek 70)
(define not-capable 76)

;; name -> procedure of m, which gives the routine
(define functions (make-table))
(define (define-function! name procedure) (table-set! functions name procedure))

(define standard-calls '("exit" "read" "write" "arg_count" "arg" "clock" "random" "map"))

;; What serves the function NAME of MODULE when nobody gave something else: a procedure of m that gives a routine, the
;; name of a host call, or #f.
(define (system-function module name)
  (cond ((member module '("wasi_snapshot_preview1" "wasi_unstable")) (table-ref functions name #f))
        ((string=? module "comet") (and (member name standard-calls) name))
        (else #f)))

;; ---- errors ------------------------------------------------------------------------------------------

;; The error for what a host call gave in a register, negative.
(define (error-of register)
  `((imm 1 ,bad-descriptor) (beqi ,register -9 end)
    (imm 1 ,invalid) (beqi ,register -22 end)
    (imm 1 ,closed-pipe) (beqi ,register -32 end)
    (imm 1 ,input-output)
    end (ret)))

(define (always number) (lambda (m) `((imm 1 ,number) (ret))))

;; 0 for the standard streams, as `number`, else a bad descriptor.
(define (for-streams number)
  (lambda (m) `((bgei_u 1 3 bad) (imm 1 ,number) (ret) bad (imm 1 ,bad-descriptor) (ret))))

;; ---- streams -----------------------------------------------------------------------------------------

;; fd, buffers, how many, where the number of bytes goes. Ends with the first buffer that was not filled or written in
;; full.
(define (transfer call)
  (lambda (m)
    `((imm 5 0)
      again
      (beqi 3 0 done)
      (ldu32 13 2 ,(+ m 4))
      (beqi 13 0 next)
      (ldu32 12 2 ,m)
      (addi 12 12 ,m)
      (mov 11 1)
      (mov 6 13)
      (hcall 10 ,call)
      (blti_s 11 0 failed)
      (add 5 5 11)
      (bne 11 6 done)
      next
      (addi 2 2 8)
      (addi32 3 3 -1)
      (jump again)
      failed
      (bnei 5 0 done)
      ,@(error-of 11)
      done
      (st32 4 5 ,m)
      (imm 1 0)
      (ret))))

(define-function! "fd_write" (transfer "write"))
(define-function! "fd_read" (transfer "read"))
(define-function! "fd_close" (for-streams 0))
(define-function! "fd_seek" (for-streams cannot-seek))
(define-function! "fd_tell" (for-streams cannot-seek))
(define-function! "fd_sync" (for-streams 0))
(define-function! "fd_fdstat_set_flags" (for-streams 0))

;; A stream is a character device that can be read and written, and nothing else.
(define-function! "fd_fdstat_get"
  (lambda (m)
    `((bgei_u 1 3 bad)
      (imm 3 2) (st64 2 3 ,m) (imm 3 66) (st64 2 3 ,(+ m 8)) (st64 2 0 ,(+ m 16))
      (imm 1 0) (ret)
      bad (imm 1 ,bad-descriptor) (ret))))

(define-function! "fd_filestat_get"
  (lambda (m)
    `((bgei_u 1 3 bad)
      (addi 2 2 ,m) (imm 3 64) (bfill 2 0 3) (imm 3 2) (st8 2 3 16) (imm 3 1) (st64 2 3 24)
      (imm 1 0) (ret)
      bad (imm 1 ,bad-descriptor) (ret))))

;; ---- arguments ---------------------------------------------------------------------------------------

;; The host call `arg` with no room tells how long an argument is.
(define-function! "args_sizes_get"
  (lambda (m)
    `((mov 11 0) (hcall 10 "arg_count") (mov 3 11) (st32 1 3 ,m) (mov 4 0) (mov 5 0)
      again
      (bge_u 4 3 done)
      (mov 11 4) (mov 12 0) (mov 13 0) (hcall 10 "arg")
      (add 5 5 11) (addi 5 5 1) (addi 4 4 1)
      (jump again)
      done
      (st32 2 5 ,m) (imm 1 0) (ret))))

(define-function! "args_get"
  (lambda (m)
    `((mov 11 0) (hcall 10 "arg_count") (mov 3 11) (mov 4 0)
      again
      (bge_u 4 3 done)
      (st32 1 2 ,m)
      (mov 11 4) (mov 12 0) (mov 13 0) (hcall 10 "arg")
      (mov 13 11) (mov 11 4) (addi 12 2 ,m) (hcall 10 "arg")
      (add 2 2 11) (st8 2 0 ,m) (addi 2 2 1) (addi 1 1 4) (addi 4 4 1)
      (jump again)
      done
      (imm 1 0) (ret))))

;; There is no environment.
(define-function! "environ_sizes_get" (lambda (m) `((st32 1 0 ,m) (st32 2 0 ,m) (imm 1 0) (ret))))
(define-function! "environ_get" (always 0))

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

(for-each
 (lambda (name) (define-function! name (always bad-descriptor)))
 '("fd_prestat_get" "fd_prestat_dir_name" "fd_readdir" "fd_renumber" "fd_advise" "fd_allocate" "fd_datasync"
   "fd_fdstat_set_rights" "fd_filestat_set_size" "fd_filestat_set_times" "fd_pread" "fd_pwrite"))
(for-each
 (lambda (name) (define-function! name (always not-capable)))
 '("path_create_directory" "path_filestat_get" "path_filestat_set_times" "path_link" "path_open" "path_readlink"
   "path_remove_directory" "path_rename" "path_symlink" "path_unlink_file"))
(for-each
 (lambda (name) (define-function! name (always not-supported)))
 '("poll_oneoff" "proc_raise" "sock_accept" "sock_recv" "sock_send" "sock_shutdown"))
