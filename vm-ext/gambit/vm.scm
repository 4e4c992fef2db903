;; The thin binding: one procedure for each function of comet.h, named by one rule (comet_space_new is
;; vm-space-new) and with its arguments in the same order, the error slot left out. What C returns through
;; pointers is the result: a number, a u8vector, or a vector of the struct's members without `size`.
;; Statuses other than OK are raised, see vm-error?; where comet.h says that "behind the last" is an
;; error, the result is #f instead.
;;
;;   (define machine (vm-machine-new))
;;   (vm-map machine 0 #x10000 65536 7)
;;   (vm-run machine 0 1000)  => #(0 0 65536 0 1 1 0 0 0 0 "" #f 0)

(module vm-ext/gambit/vm compiled-only)

;; The results of a C call are fetched by further calls: nothing may come in between.
(declare (block) (not interrupts-enabled))

(c-declare #<<end-of-c
#include "binding.h"
/* The bytes of a u8vector. */
#define COMET_BYTES(object) ___CAST(___U8*, ___BODY_AS(object, ___tSUBTYPED))
/* The numbers of a u64vector. */
#define COMET_WORDS(object) ___CAST(uint64_t*, ___BODY_AS(object, ___tSUBTYPED))
end-of-c
)

(c-define-type machine* (nonnull-pointer (struct "comet_box") comet-machine "comet_release_machine"))
(c-define-type snapshot* (nonnull-pointer (struct "comet_snapshot_box") comet-snapshot "comet_release_snapshot"))
(c-define-type image* (nonnull-pointer (struct "comet_image") comet-image "comet_release_image"))
(c-define-type state* (nonnull-pointer (struct "comet_state") comet-state "comet_release_state"))
;; #f for NULL
(c-define-type state-or-null* (pointer (struct "comet_state") comet-state))
(c-define-type image-or-null* (pointer (struct "comet_image") comet-image))
(c-define-type linker* (nonnull-pointer (struct "comet_linker") comet-linker "comet_release_linker"))
(c-define-type profile* (nonnull-pointer (struct "comet_profile") comet-profile "comet_release_profile"))
(c-define-type profile-or-null* (pointer (struct "comet_profile") comet-profile))
(c-define-type id unsigned-int32)
(c-define-type u64 unsigned-int64)
(c-define-type name nonnull-UTF-8-string)

;; ---- errors ----------------------------------------------------------------------------------------

;; An error is an ordinary error exception, which any REPL shows in one line; what else is known of it
;; stands in this table.
(define error-details (make-table test: eq? weak-keys: #t))

(define error-status (c-lambda () int "___return(comet_result.error.status);"))
(define error-address (c-lambda () u64 "___return(comet_result.error.address);"))
(define error-message (c-lambda () UTF-8-string "___return(comet_clean_text(comet_result.error.message));"))

(define (raise-last-error)
  (let ((details (vector (error-status) (error-address) (error-message))))
    (let ((exception
           (with-exception-catcher
            (lambda (exception) exception)
            (lambda () (error (vector-ref details 2))))))
      (table-set! error-details exception details)
      (raise exception))))

(define (error-detail exception i)
  (vector-ref (table-ref error-details exception) i))

(define (vm-error? x) (and (table-ref error-details x #f) #t))
(define (vm-error-status exception) (error-detail exception 0))
(define (vm-error-address exception) (error-detail exception 1))
(define (vm-error-message exception) (error-detail exception 2))

(define status-address 3)
(define status-argument 1)

(define (check status)
  (if (not (eq? status 0)) (raise-last-error)))

;; #f for the status that says "there is none", #t for success.
(define (check-unless none status)
  (cond ((eq? status 0) #t)
        ((eq? status none) #f)
        (else (raise-last-error))))

;; (define-call (name argument …) (type …) "C expression that is a status"): the expression speaks of its
;; arguments as ___arg1, …
(##define-macro (define-call signature types expression #!optional (result '(##void)))
  `(define ,signature
     (check ((c-lambda ,types int ,(string-append "___return(" expression ");")) ,@(cdr signature)))
     ,result))

(define number (c-lambda (int) u64 "___return(comet_result.number[___arg1]);"))
;; The first of them, as a vector.
(define (numbers count) (list->vector (map number (iota count))))
(define signed-number (c-lambda (int) int64 "___return((int64_t)comet_result.number[___arg1]);"))
(define result-text (c-lambda (int) UTF-8-string "___return(comet_clean_text(comet_result.text[___arg1]));"))
(define copy-result-bytes
  (c-lambda (scheme-object size_t) void
    "if (___arg2) memcpy(COMET_BYTES(___arg1), comet_result.bytes, ___arg2);"))

(define (result-bytes length)
  (let ((bytes (make-u8vector length)))
    (copy-result-bytes bytes length)
    bytes))

;; A result that lies in an object is taken while that is held: Gambit releases what nothing mentions any more, the
;; result's texts and bytes with it.
(define hold (c-lambda (scheme-object) void ""))
(##define-macro (while-held owner result)
  `(let ((result ,result))
     (hold ,owner)
     result))

;; A u8vector is passed as the address of its first byte, good during the call only: these keep a wrong
;; argument from becoming a wild pointer.
(define (check-bytes bytes start end)
  (if (not (u8vector? bytes)) (error "bytes are given as a u8vector, not as" bytes))
  (if (not (and (fixnum? start) (fixnum? end) (<= 0 start end (u8vector-length bytes))))
      (error "a u8vector has no such part:" (list 'start start 'end end 'length (u8vector-length bytes)))))

(define (or-default x) (or x #xFFFFFFFFFFFFFFFF))

;; ---- versions and names ----------------------------------------------------------------------------

(define vm-version (c-lambda () name "___return((char*)comet_version());"))
(define vm-status-name (c-lambda (int) name "___return((char*)comet_status_name((comet_status)___arg1));"))
(define vm-reason-name (c-lambda (int) name "___return((char*)comet_reason_name((comet_reason)___arg1));"))
(define vm-trap-name (c-lambda (int) name "___return((char*)comet_trap_name((comet_trap)___arg1));"))

;; ---- machines --------------------------------------------------------------------------------------

(define (foreign-with-tag? x tag)
  (and (foreign? x) (memq tag (foreign-tags x)) (not (foreign-released? x))))

(define (vm-machine? x) (and (foreign-with-tag? x 'comet-machine) #t))
(define (vm-snapshot? x) (and (foreign-with-tag? x 'comet-snapshot) #t))
(define (vm-image? x) (and (foreign-with-tag? x 'comet-image) #t))

(define result-machine (c-lambda () machine* "___return(comet_result.handle);"))

;; Each limit is a number, or #f for the default.
(define (vm-machine-new #!optional window memory-limit register-limit call-depth-limit thread-limit)
  (check ((c-lambda (u64 u64 u64 u64 u64) int
            "___return(comet_box_new(___arg1, ___arg2, ___arg3, ___arg4, ___arg5));")
          (or-default window) (or-default memory-limit) (or-default register-limit)
          (or-default call-depth-limit) (or-default thread-limit)))
  (result-machine))

;; The collector does this by itself; afterwards the object is refused everywhere.
(define (vm-machine-free machine) (foreign-release! machine))

(define-call (vm-machine-reset machine) (machine*) "comet_box_reset(___arg1)")
;; #(window memory-limit register-limit call-depth-limit thread-limit)
(define-call (vm-machine-config machine) (machine*) "comet_box_config(___arg1)" (numbers 5))

;; #(memory registers call-depth output stop-for-memory?)
(define-call (vm-get-limits machine) (machine*) "comet_box_limits(___arg1)"
  (vector (number 0) (number 1) (number 2) (number 3) (= 1 (number 4))))
(define-call (vm-set-limits machine memory registers call-depth output stop-for-memory?)
  (machine* u64 u64 u64 u64 bool)
  "comet_box_set_limits(___arg1, ___arg2, ___arg3, ___arg4, ___arg5, ___arg6)")

;; #(decoded-instructions decoded-bytes decoded-limit decoded-drops mapped-bytes spaces threads snapshots output-bytes)
(define-call (vm-machine-statistics machine) (machine*) "comet_box_statistics(___arg1)" (numbers 9))

;; ---- memory ----------------------------------------------------------------------------------------

(define-call (vm-space-new machine) (machine*) "comet_box_space_new(___arg1)" (number 0))
(define-call (vm-space-free machine space) (machine* id)
  "comet_space_free(___arg1->machine, ___arg2, comet_clear_error())")
(define-call (vm-map machine space address length protection) (machine* id u64 u64 int)
  "comet_map(___arg1->machine, ___arg2, ___arg3, ___arg4, ___arg5, comet_clear_error())")
(define-call (vm-unmap machine space address length) (machine* id u64 u64)
  "comet_unmap(___arg1->machine, ___arg2, ___arg3, ___arg4, comet_clear_error())")
(define-call (vm-protect machine space address length protection) (machine* id u64 u64 int)
  "comet_protect(___arg1->machine, ___arg2, ___arg3, ___arg4, ___arg5, comet_clear_error())")

;; #(address length protection), or #f
(define (vm-next-region machine space from)
  (and (check-unless status-address
                     ((c-lambda (machine* id u64) int
                        "___return(comet_box_next_region(___arg1, ___arg2, ___arg3));")
                      machine space from))
       (vector (number 0) (number 1) (number 2))))

(define (vm-read! machine space address bytes start end)
  (check-bytes bytes start end)
  (check ((c-lambda (machine* id u64 scheme-object size_t size_t) int
            "___return(comet_read(___arg1->machine, ___arg2, ___arg3, COMET_BYTES(___arg4) + ___arg5, ___arg6, comet_clear_error()));")
          machine space address bytes start (- end start))))

(define (vm-read machine space address length)
  (let ((bytes (make-u8vector length)))
    (vm-read! machine space address bytes 0 length)
    bytes))

(define (vm-write machine space address bytes #!optional (start 0) (end (u8vector-length bytes)))
  (check-bytes bytes start end)
  (check ((c-lambda (machine* id u64 scheme-object size_t size_t) int
            "___return(comet_write(___arg1->machine, ___arg2, ___arg3, COMET_BYTES(___arg4) + ___arg5, ___arg6, comet_clear_error()));")
          machine space address bytes start (- end start))))

;; ---- threads and registers -------------------------------------------------------------------------

(define-call (vm-thread-new machine space pc) (machine* id u64)
  "comet_box_thread_new(___arg1, ___arg2, ___arg3)"
  (number 0))
(define-call (vm-thread-free machine thread) (machine* id)
  "comet_thread_free(___arg1->machine, ___arg2, comet_clear_error())")

;; A number, or #f
(define (vm-next-thread machine from)
  (and (check-unless status-argument
                     ((c-lambda (machine* id) int "___return(comet_box_next_thread(___arg1, ___arg2));") machine from))
       (number 0)))

;; #(space pc instruction-count activations window registers standing place handlers)
(define-call (vm-thread-get machine thread) (machine* id) "comet_box_thread_get(___arg1, ___arg2)"
  (vector (number 0) (number 1) (number 2) (number 3) (number 4) (number 5) (number 6) (number 7) (number 8)))
(define-call (vm-set-pc machine thread pc) (machine* id u64)
  "comet_set_pc(___arg1->machine, ___arg2, ___arg3, comet_clear_error())")
(define-call (vm-thread-restart machine thread pc) (machine* id u64)
  "comet_thread_restart(___arg1->machine, ___arg2, ___arg3, comet_clear_error())")
(define-call (vm-get-register machine thread level index) (machine* id u64 u64)
  "comet_get_register(___arg1->machine, ___arg2, ___arg3, ___arg4, &comet_result.number[0], comet_clear_error())"
  (number 0))
(define-call (vm-set-register machine thread level index value) (machine* id u64 u64 u64)
  "comet_set_register(___arg1->machine, ___arg2, ___arg3, ___arg4, ___arg5, comet_clear_error())")
(define-call (vm-get-thread-register machine thread index) (machine* id id)
  "comet_get_thread_register(___arg1->machine, ___arg2, ___arg3, &comet_result.number[0], comet_clear_error())"
  (number 0))
(define-call (vm-set-thread-register machine thread index value) (machine* id id u64)
  "comet_set_thread_register(___arg1->machine, ___arg2, ___arg3, ___arg4, comet_clear_error())")

;; #(function pc window)
(define-call (vm-get-activation machine thread level) (machine* id u64)
  "comet_box_get_activation(___arg1, ___arg2, ___arg3)"
  (vector (number 0) (number 1) (number 2)))

;; ---- running ---------------------------------------------------------------------------------------

;; #(reason trap pc address instruction-count executed exit-status host-call watchpoint access message
;;   tick? thread limit fuel); tick? says that the run was interrupted only because Gambit has something to do (a timer,
;; another thread, Ctrl-C): let Scheme run a little, and run on.
(define-call (vm-run machine thread fuel) (machine* id u64) "comet_box_run(___arg1, ___arg2, ___arg3, NULL)"
  (while-held machine (run-result)))

(define (run-result)
  (vector (number 0) (number 1) (number 2) (number 3) (number 4) (number 5) (signed-number 6)
          (number 7) (number 8) (number 9) (result-text 0) (= (number 10) 1) (number 12) (number 13) (number 14)))

(define vm-every-thread (c-lambda () id "___return(COMET_EVERY_THREAD);"))
;; #(slice seed current slice-left instruction-count)
(define-call (vm-schedule-get machine) (machine*) "comet_box_schedule_get(___arg1)"
  (vector (number 0) (number 1) (number 2) (number 3) (number 4)))
(define-call (vm-schedule-set machine slice seed) (machine* u64 u64)
  "comet_schedule_set(___arg1->machine, ___arg2, ___arg3, comet_clear_error())")
(define-call (vm-host-threads-set machine most) (machine* id)
  "comet_set_host_threads(___arg1->machine, ___arg2, comet_clear_error())")
(define vm-catch-traps (c-lambda (machine* id) void "comet_catch_traps(___arg1->machine, ___arg2);"))
;; A status: not 0 where the queue is full, or the kind is no such.
(define vm-post-event
  (c-lambda (machine* u64 u64 u64) int "___return(comet_post_event(___arg1->machine, ___arg2, ___arg3, ___arg4));"))

;; filters: a u64vector of three numbers each (events, first, last); events: one with room for seven numbers
;; each (kind, count, pc, place, length, before, after), filled from its beginning; counts: one, or #f. Gives
;; the number of events and what vm-run gives. profile: of vm-profile-new, or #f.
(define (vm-observe machine thread fuel filters events stop-at counts counts-first #!optional (profile #f) (weight 1)
                    (of-thread (vm-every-thread)))
  (for-each (lambda (words)
              (if (not (u64vector? words)) (error "filters, events and counts are u64vectors, not" words)))
            (list filters events (or counts filters)))
  (check ((c-lambda (machine* id u64 scheme-object size_t scheme-object size_t u64 scheme-object u64 size_t profile-or-null* u64 id) int
            "___return(comet_box_observe(___arg1, ___arg2, ___arg3, COMET_WORDS(___arg4), ___arg5, COMET_WORDS(___arg6), ___arg7, ___arg8, COMET_WORDS(___arg9), ___arg10, ___arg11, ___arg12, ___arg13, ___arg14));")
          machine thread fuel
          filters (quotient (u64vector-length filters) 3)
          events (quotient (u64vector-length events) 7)
          stop-at
          (or counts filters) counts-first (if counts (u64vector-length counts) 0)
          profile weight of-thread))
  (while-held machine (cons (number 11) (run-result))))

(define result-profile (c-lambda () profile* "___return(comet_result.handle);"))
(define-call (vm-profile-new) () "comet_handle_profile_new()" (result-profile))
(define (vm-profile-free profile) (foreign-release! profile))
(define (vm-profile? x) (and (foreign-with-tag? x 'comet-profile) #t))
;; #(instructions lost)
(define-call (vm-profile-get profile) (profile*) "comet_handle_profile_get(___arg1)" (vector (number 0) (number 1)))
;; #(of what count), or #f behind the last
(define (vm-profile-read profile table n)
  (and (check-unless status-argument
                     ((c-lambda (profile* id size_t) int "___return(comet_handle_profile_read(___arg1, ___arg2, ___arg3));")
                      profile table n))
       (vector (number 0) (number 1) (number 2))))

(define vm-interrupt (c-lambda (machine*) void "comet_box_interrupt(___arg1);"))

;; Whether runs look at Gambit's own interrupts, which a new machine's runs do. The poll function is C:
;; it cannot be a Scheme procedure.
(define vm-set-poll
  (c-lambda (machine* bool) void
    "comet_set_poll(___arg1->machine, ___arg2 ? comet_gambit_poll : NULL, ___arg1);"))
(define vm-set-deadline
  (c-lambda (machine* u64) void "comet_set_deadline(___arg1->machine, ___arg2);"))

(define-call (vm-breakpoint-set machine space address) (machine* id u64)
  "comet_breakpoint_set(___arg1->machine, ___arg2, ___arg3, comet_clear_error())")
(define-call (vm-breakpoint-clear machine space address) (machine* id u64)
  "comet_breakpoint_clear(___arg1->machine, ___arg2, ___arg3, comet_clear_error())")
(define-call (vm-watchpoint-set machine space address length access) (machine* id u64 u64 int)
  "comet_box_watchpoint_set(___arg1, ___arg2, ___arg3, ___arg4, ___arg5)"
  (number 0))
(define-call (vm-watchpoint-clear machine watchpoint) (machine* id)
  "comet_watchpoint_clear(___arg1->machine, ___arg2, comet_clear_error())")

;; ---- snapshots -------------------------------------------------------------------------------------

(define result-snapshot (c-lambda () snapshot* "___return(comet_result.handle);"))

(define-call (vm-snapshot-take machine) (machine*) "comet_box_snapshot_take(___arg1)" (result-snapshot))
(define-call (vm-snapshot-restore machine snapshot) (machine* snapshot*)
  "comet_box_snapshot_restore(___arg1, ___arg2)")

;; comet_snapshot_free without the machine: a snapshot knows its own.
(define (vm-snapshot-free snapshot) (foreign-release! snapshot))

(define vm-snapshot-bytes (c-lambda (machine*) u64 "___return(comet_snapshot_bytes(___arg1->machine));"))

;; (address . length), or #f
(define-call (vm-snapshot-difference machine snapshot space from) (machine* snapshot* id u64)
  "comet_box_snapshot_difference(___arg1, ___arg2, ___arg3, ___arg4)"
  (and (> (number 1) 0) (cons (number 0) (number 1))))

;; the same
(define-call (vm-snapshot-written machine snapshot space from) (machine* snapshot* id u64)
  "comet_box_snapshot_written(___arg1, ___arg2, ___arg3, ___arg4)"
  (and (> (number 1) 0) (cons (number 0) (number 1))))

(define-call (vm-timeline-start machine byte-limit) (machine* u64)
  "comet_timeline_start(___arg1->machine, ___arg2, comet_clear_error())")
(define vm-timeline-stop (c-lambda (machine*) void "comet_timeline_stop(___arg1->machine);"))
(define-call (vm-timeline-keep machine) (machine*) "comet_box_timeline_keep(___arg1)" (number 0))
(define-call (vm-timeline-resume machine log) (machine* id)
  "comet_timeline_resume(___arg1->machine, ___arg2, comet_clear_error())")
(define-call (vm-timeline-drop machine log) (machine* id)
  "comet_timeline_drop(___arg1->machine, ___arg2, comet_clear_error())")
;; #(recording? entries bytes changes begin end)
(define-call (vm-timeline-get machine thread) (machine* id) "comet_box_timeline_get(___arg1, ___arg2)"
  (vector (= 1 (number 0)) (number 1) (number 2) (number 3) (number 4) (number 5)))

(define (vm-state-hash machine)
  (let ((hash (make-u8vector 16)))
    (check ((c-lambda (machine* scheme-object) int
              "___return(comet_state_hash(___arg1->machine, COMET_BYTES(___arg2), comet_clear_error()));")
            machine hash))
    hash))

;; ---- states in files -------------------------------------------------------------------------------

(define (vm-state? x) (and (foreign-with-tag? x 'comet-state) #t))

(define result-state (c-lambda () state* "___return(comet_result.handle);"))

;; stop: #f, or #(reason trap pc address instruction-count exit-status message) with the numbers of comet.h
(define (set-stop! stop)
  (if stop
      (apply (c-lambda (int int u64 u64 u64 int64 name) void
               "comet_set_stop(___arg1, ___arg2, ___arg3, ___arg4, ___arg5, ___arg6, ___arg7);")
             (vector->list stop))))

;; path #f: gives (kept . bytes); else writes the file and gives kept, the base for a later state
(define (vm-state-save machine path #!optional (base #f) (image #f) (thread 0) (stop #f))
  (set-stop! stop)
  (check ((c-lambda (machine* UTF-8-string state-or-null* image-or-null* id bool) int
            "___return(comet_box_save(___arg1, ___arg2, ___arg3, ___arg4, ___arg5, ___arg6));")
          machine path base image thread (if stop #t #f)))
  (let ((kept (result-state)))
    (if path kept (cons kept (result-bytes (number 0))))))

;; A state in memory, with its pages.
(define (vm-state-capture machine)
  (check ((c-lambda (machine*) int "___return(comet_box_capture(___arg1));") machine))
  (result-state))

;; Another machine in that state; #f: in the machine's own.
(define (vm-machine-fork machine #!optional (state #f))
  (check ((c-lambda (machine* state-or-null*) int "___return(comet_box_fork(___arg1, ___arg2));") machine state))
  (result-machine))

(define (vm-state-read bytes #!optional (base #f))
  (check-bytes bytes 0 (u8vector-length bytes))
  (check ((c-lambda (scheme-object size_t state-or-null*) int
            "___return(comet_handle_state_read(COMET_BYTES(___arg1), ___arg2, ___arg3));")
          bytes (u8vector-length bytes) base))
  (result-state))

(define (vm-state-free state) (foreign-release! state))

;; #(identity has-base base has-image image pages pages-with-content has-stop thread hash recording lost entries
;; begin end), the hashes u8vectors, has-image 0, 1 or 2
(define (vm-state-get state)
  (let ((hashes (make-u8vector 64)))
    (check ((c-lambda (state* scheme-object) int "___return(comet_handle_state_get(___arg1, COMET_BYTES(___arg2)));")
            state hashes))
    (let ((hash (lambda (i) (subu8vector hashes (* 16 i) (* 16 (+ i 1))))) (true? (lambda (i) (= 1 (number i)))))
      (vector (hash 0) (true? 0) (hash 1) (number 1) (hash 2) (number 2) (number 3) (true? 4) (number 5) (hash 3)
              (true? 6) (true? 7) (number 8) (number 9) (number 10)))))

;; As vm-machine-config, of the machine that was saved.
(define-call (vm-state-config state) (state*) "comet_handle_state_config(___arg1)" (numbers 5))

;; As what vm-run gives.
(define-call (vm-state-stop state) (state*) "comet_handle_state_stop(___arg1)"
  (while-held state (run-result)))

;; The bytes of the image that goes along, or #f.
(define (vm-state-image state)
  (let ((length ((c-lambda (state*) size_t
                   "___return(comet_handle_state_image(___arg1));")
                 state)))
    (and (> length 0) (while-held state (result-bytes length)))))

(define vm-state-import
  (c-lambda (state* id) UTF-8-string "___return(comet_clean_text(comet_state_import(___arg1, ___arg2)));"))
(define vm-state-directory
  (c-lambda (state* id) UTF-8-string "___return(comet_clean_text(comet_state_directory(___arg1, ___arg2)));"))
(define vm-state-argument
  (c-lambda (state* id) UTF-8-string "___return(comet_clean_text(comet_state_argument(___arg1, ___arg2)));"))

(define-call (vm-state-restore machine state) (machine* state*)
  "comet_state_restore(___arg1->machine, ___arg2, comet_clear_error())")

(define-call (vm-record-start machine path image) (machine* name image-or-null*)
  "comet_box_record_start(___arg1, ___arg2, ___arg3)")
(define (vm-record-stop machine #!optional (thread 0) (stop #f))
  (set-stop! stop)
  (check ((c-lambda (machine* id bool) int "___return(comet_box_record_stop(___arg1, ___arg2, ___arg3));")
          machine thread (if stop #t #f))))
(define-call (vm-timeline-load machine state byte-limit) (machine* state* u64)
  "comet_timeline_load(___arg1->machine, ___arg2, ___arg3, comet_clear_error())")

;; ---- host calls ------------------------------------------------------------------------------------

;; Left to the embedder: C never calls Scheme. vm-run comes back with reason 5, vm-host-complete goes on.
;; signature: a string, or #f; fuel: what a call costs besides; quota: calls that may be made, or #f.
(define (vm-host-grant machine name #!optional (signature #f) (fuel 0) (quota #f))
  (check ((c-lambda (machine* name UTF-8-string u64 u64) int
            "___return(comet_box_host_grant(___arg1, ___arg2, ___arg3, ___arg4, ___arg5));")
          machine name signature fuel (or-default quota))))
(define-call (vm-host-set-quota machine name calls) (machine* name u64)
  "comet_host_set_quota(___arg1->machine, ___arg2, ___arg3, comet_clear_error())")
;; #(signature fuel calls quota)
(define-call (vm-host-granted machine name) (machine* name) "comet_box_host_granted(___arg1, ___arg2)"
  (while-held machine (vector (result-text 0) (number 0) (number 1) (number 2))))
(define-call (vm-host-revoke machine name) (machine* name)
  "comet_host_revoke(___arg1->machine, ___arg2, comet_clear_error())")
(define-call (vm-host-grant-standard machine group) (machine* name)
  "comet_host_grant_standard(___arg1->machine, ___arg2, comet_clear_error())")
(define-call (vm-host-revoke-standard machine group) (machine* name)
  "comet_host_revoke_standard(___arg1->machine, ___arg2, comet_clear_error())")
(define-call (vm-host-import machine name) (machine* name) "comet_box_host_import(___arg1, ___arg2)"
  (number 0))
(define vm-host-import-name
  (c-lambda (machine* id) UTF-8-string
    "___return(comet_clean_text(comet_host_import_name(___arg1->machine, ___arg2)));"))
(define-call (vm-host-complete machine thread result) (machine* id u64)
  "comet_host_complete(___arg1->machine, ___arg2, ___arg3, comet_clear_error())")
(define-call (vm-host-argument machine thread n) (machine* id unsigned-int)
  "comet_host_argument(___arg1->machine, ___arg2, ___arg3, &comet_result.number[0], comet_clear_error())"
  (number 0))
(define-call (vm-set-stream machine stream descriptor) (machine* unsigned-int int)
  "comet_set_stream(___arg1->machine, ___arg2, ___arg3, comet_clear_error())")

;; A list of strings without NUL characters, one behind the other with a NUL behind each.
(define (packed-texts texts)
  (call-with-output-u8vector
   (list char-encoding: 'UTF-8 eol-encoding: 'lf)
   (lambda (port)
     (for-each (lambda (text)
                 (if (memv #\nul (string->list text))
                     (error "an argument of a program cannot hold a NUL character:" text))
                 (display text port)
                 (write-char #\nul port))
               texts))))

(define (set-texts machine which texts)
  (check ((c-lambda (machine* int scheme-object size_t) int
            "___return(comet_box_set_texts(___arg1, ___arg2, ___CAST(char*, COMET_BYTES(___arg3)), ___arg4));")
          machine which (packed-texts texts) (length texts))))

(define (vm-set-arguments machine arguments) (set-texts machine 0 arguments))
(define (vm-set-environment machine settings) (set-texts machine 1 settings))

(define-call (vm-close-files machine) (machine*)
  "comet_close_files(___arg1->machine, comet_clear_error())")
(define-call (vm-grant-directory machine path name access) (machine* UTF-8-string UTF-8-string int)
  "comet_grant_directory(___arg1->machine, ___arg2, ___arg3, ___arg4, comet_clear_error())")

(define vm-set-random-seed
  (c-lambda (machine* u64) void "comet_set_random_seed(___arg1->machine, ___arg2);"))

;; ---- images ----------------------------------------------------------------------------------------

(define result-image (c-lambda () image* "___return(comet_result.handle);"))

(define (vm-image-read bytes)
  (check-bytes bytes 0 (u8vector-length bytes))
  (check ((c-lambda (scheme-object size_t) int
            "___return(comet_handle_image_read(COMET_BYTES(___arg1), ___arg2));")
          bytes (u8vector-length bytes)))
  (result-image))

;; ---- objects ---------------------------------------------------------------------------------------

(define result-linker (c-lambda () linker* "___return(comet_result.handle);"))
(define-call (vm-linker-new) () "comet_handle_linker_new()" (result-linker))
;; The bytes of an object or an archive; name: what errors call it.
(define (vm-linker-add linker name bytes)
  (check-bytes bytes 0 (u8vector-length bytes))
  (check ((c-lambda (linker* name scheme-object size_t) int
            "___return(comet_linker_add(___arg1, ___arg2, COMET_BYTES(___arg3), ___arg4, comet_clear_error()));")
          linker name bytes (u8vector-length bytes))))
;; An image; entry: a symbol's name, or #f.
(define-call (vm-linker-link linker entry) (linker* UTF-8-string)
  "comet_handle_link(___arg1, ___arg2)" (result-image))

(define-call (vm-image-new) () "comet_handle_image_new()" (result-image))

(define (vm-image-free image) (foreign-release! image))

(define (vm-image-add-section image name address bytes memory-length protection)
  (check-bytes bytes 0 (u8vector-length bytes))
  (check ((c-lambda (image* name u64 scheme-object size_t u64 int) int
            "___return(comet_image_add_section(___arg1, ___arg2, ___arg3, COMET_BYTES(___arg4), ___arg5, ___arg6, ___arg7, comet_clear_error()));")
          image name address bytes (u8vector-length bytes) memory-length protection)))

(define-call (vm-image-add-symbol image name value) (image* name u64)
  "comet_image_add_symbol(___arg1, ___arg2, ___arg3, comet_clear_error())")
(define-call (vm-image-add-line image address file line column) (image* u64 name id id)
  "comet_image_add_line(___arg1, ___arg2, ___arg3, ___arg4, ___arg5, comet_clear_error())")
;; Many lines of one file. bytes: for each its address in 8, line and column in 4 bytes, little-endian.
(define (vm-image-add-lines image file bytes count)
  (check-bytes bytes 0 (* 16 count))
  (check ((c-lambda (image* name scheme-object size_t) int
            "___return(comet_handle_image_add_lines(___arg1, ___arg2, COMET_BYTES(___arg3), ___arg4));")
          image file bytes count)))
(define-call (vm-image-add-expansion image address macro file line column) (image* u64 name name id id)
  "comet_image_add_expansion(___arg1, ___arg2, ___arg3, ___arg4, ___arg5, ___arg6, comet_clear_error())")
(define-call (vm-image-add-view image name description) (image* name name)
  "comet_image_add_view(___arg1, ___arg2, ___arg3, comet_clear_error())")
(define-call (vm-image-add-import image name) (image* name)
  "comet_image_add_import(___arg1, ___arg2, comet_clear_error())")
(define-call (vm-image-set-entry image address) (image* u64)
  "comet_image_set_entry(___arg1, ___arg2, comet_clear_error())")
(define-call (vm-image-write image) (image*) "comet_handle_image_write(___arg1)"
  (while-held image (result-bytes (number 0))))

;; #(name address bytes memory-length protection), or #f behind the last
(define (vm-image-section image n)
  (and (check-unless status-argument
                     ((c-lambda (image* size_t) int "___return(comet_handle_image_section(___arg1, ___arg2));")
                      image n))
       (while-held image (vector (result-text 0) (number 1) (result-bytes (number 0)) (number 2) (number 3)))))

;; #(name value)
(define (result-symbol) (vector (result-text 0) (number 0)))

(define (vm-image-symbol image n)
  (and (check-unless status-argument
                     ((c-lambda (image* size_t) int "___return(comet_handle_image_symbol(___arg1, ___arg2));")
                      image n))
       (while-held image (result-symbol))))

;; #(address file line column)
(define (result-line) (vector (number 0) (result-text 0) (number 1) (number 2)))

(define (vm-image-line image n)
  (and (check-unless status-argument
                     ((c-lambda (image* size_t) int "___return(comet_handle_image_line(___arg1, ___arg2));")
                      image n))
       (while-held image (result-line))))

;; #(address macro file line column), or #f behind the last
(define (vm-image-expansion image n)
  (and (check-unless status-argument
                     ((c-lambda (image* size_t) int "___return(comet_handle_image_expansion(___arg1, ___arg2));")
                      image n))
       (while-held image (vector (number 0) (result-text 0) (result-text 1) (number 1) (number 2)))))

;; #(name description), or #f behind the last
(define (vm-image-view image n)
  (and (check-unless status-argument
                     ((c-lambda (image* size_t) int "___return(comet_handle_image_view(___arg1, ___arg2));")
                      image n))
       (while-held image (vector (result-text 0) (result-text 1)))))

(define vm-image-import
  (c-lambda (image* size_t) UTF-8-string "___return(comet_clean_text(comet_image_import(___arg1, ___arg2)));"))
(define vm-image-entry (c-lambda (image*) u64 "___return(comet_image_entry(___arg1));"))

(define (vm-image-find-symbol image name)
  (and (check-unless status-address
                     ((c-lambda (image* name) int
                        "___return(comet_handle_image_find_symbol(___arg1, ___arg2));")
                      image name))
       (while-held image (result-symbol))))

(define (vm-image-symbol-at image address)
  (and (check-unless status-address
                     ((c-lambda (image* u64) int
                        "___return(comet_handle_image_symbol_at(___arg1, ___arg2));")
                      image address))
       (while-held image (result-symbol))))

(define (vm-image-line-at image address)
  (and (check-unless status-address
                     ((c-lambda (image* u64) int "___return(comet_handle_image_line_at(___arg1, ___arg2));")
                      image address))
       (while-held image (result-line))))

(define-call (vm-image-load image machine space) (image* machine* id)
  "comet_image_load(___arg1, ___arg2->machine, ___arg3, comet_clear_error())")

;; ---- the instruction set ---------------------------------------------------------------------------

;; #(name opcode operands group meaning), the name a symbol; #f behind the last
(define (vm-isa-instruction n)
  (and (check-unless status-argument
                     ((c-lambda (size_t) int "___return(comet_take_instruction(___arg1));") n))
       (vector (string->symbol (result-text 0)) (number 0) (result-text 1)
               (string->symbol (result-text 2)) (result-text 3))))

(define instructions #f)

;; All of them, as a vector.
(define (vm-isa)
  (if (not instructions)
      (set! instructions
            (let loop ((n 0) (all '()))
              (let ((instruction (vm-isa-instruction n)))
                (if instruction (loop (+ n 1) (cons instruction all)) (list->vector (reverse all)))))))
  instructions)

;; ---- instructions of the user's ----------------------------------------------------------------------

(define (vm-machine-define machine name opcode operands meaning body)
  (check-bytes body 0 (u8vector-length body))
  (check ((c-lambda (machine* name u64 name name scheme-object size_t) int
            "___return(comet_box_define(___arg1, ___arg2, ___arg3, ___arg4, ___arg5, COMET_BYTES(___arg6), ___arg7));")
          machine name opcode operands meaning body (u8vector-length body))))

(define (vm-image-add-instruction image name opcode operands meaning body)
  (check-bytes body 0 (u8vector-length body))
  (check ((c-lambda (image* name u64 name name scheme-object size_t) int
            "___return(comet_handle_add_instruction(___arg1, ___arg2, ___arg3, ___arg4, ___arg5, COMET_BYTES(___arg6), ___arg7));")
          image name opcode operands meaning body (u8vector-length body))))

;; Whose instructions the next call speaks of: a machine's, an image's, or with #f the table's alone.
(define (choose-isa! owner)
  (cond ((not owner) ((c-lambda () void "comet_chosen_isa = NULL;")))
        ((vm-image? owner) ((c-lambda (image*) void "comet_chosen_isa = comet_image_isa(___arg1);") owner))
        (else ((c-lambda (machine*) void "comet_chosen_isa = comet_machine_isa(___arg1->machine);") owner))))

;; #(name opcode operands meaning body parts), #f behind the last; of a machine or an image
(define (vm-isa-definition owner n)
  (choose-isa! owner)
  (and (check-unless status-argument
                     ((c-lambda (size_t) int "___return(comet_take_definition(___arg1));") n))
       (while-held owner
         (vector (string->symbol (result-text 0)) (number 0) (result-text 1) (result-text 2)
                 (result-bytes (number 1)) (result-text 3)))))

(define-call (vm-treat machine opcode treatment) (machine* u64 int)
  "comet_treat(___arg1->machine, ___arg2, ___arg3, comet_clear_error())")
;; #(treatment executed)
(define-call (vm-treated machine opcode) (machine* u64) "comet_box_treated(___arg1, ___arg2)"
  (vector (number 0) (number 1)))

;; ---- bytes to instructions --------------------------------------------------------------------------

;; #(name operands length fields), fields a list that begins with the opcode
(define (vm-decode bytes #!optional (start 0) (end (u8vector-length bytes)) (owner #f))
  (check-bytes bytes start end)
  (choose-isa! owner)
  (check ((c-lambda (scheme-object size_t size_t) int
            "___return(comet_take_decoded(COMET_BYTES(___arg1), ___arg2, ___arg3));")
          bytes start end))
  (while-held owner
    (vector (string->symbol (result-text 0)) (result-text 1) (number 0)
            (map (lambda (i) (number (+ i 2))) (iota (number 1))))))

;; XXH3, 64 bits, of a u8vector's bytes.
(define (vm-checksum bytes #!optional (start 0) (end (u8vector-length bytes)))
  (check-bytes bytes start end)
  ((c-lambda (scheme-object size_t size_t) u64
     "___return(comet_checksum(COMET_BYTES(___arg1) + ___arg2, ___arg3 - ___arg2));")
   bytes start end))

;; (length . text)
(define (vm-disassemble bytes address #!optional (start 0) (end (u8vector-length bytes)) (owner #f))
  (check-bytes bytes start end)
  (choose-isa! owner)
  (let ((length ((c-lambda (scheme-object size_t size_t u64) size_t
                   "___return(comet_take_disassembly(COMET_BYTES(___arg1), ___arg2, ___arg3, ___arg4));")
                 bytes start end address)))
    (while-held owner (cons length (result-text 0)))))
