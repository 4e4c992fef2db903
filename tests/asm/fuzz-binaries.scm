;; Objects, archives and images that chance has damaged, given to everything that reads them: each tool does its
;; work or raises an asm-error, a vm-error or a load-error. Nothing else may come out, nothing may hang, and what is printed
;; cannot move a terminal's cursor. What is accepted is what it seems: written again it reads the same, and
;; stripped it links to the same bytes. A part of the files goes through the commands as well, whose exit status
;; must be a documented one.
;;
;;   SEED=1 COUNT=1000 comet-vm test tests/asm/fuzz-binaries.scm
(use scheme-lib/util)
(use scheme-lib/leb128)
(use scheme-lib/image)
(use scheme-lib/machine)
(use scheme-lib/loaders/loader)
(use asm/assembler)
(use asm/link-map)
(use vm-ext/gambit/vm)

(define seed (string->number (getenv "SEED" "1")))
(define count (string->number (getenv "COUNT" "1000")))
(define comet-vm (path-expand "comet-vm" (getenv "BUILD" "build")))
(define patience 120)       ; seconds for one file, of a host that may be busy otherwise
(define commands-every 40)  ; files of which one goes through the commands

(define folder (path-directory (path-expand (this-source-file))))
(load (path-expand "mutation.scm" folder))

(define source (make-random-source))
(random-source-pseudo-randomize! source seed 0)
(define random (random-source-make-integers source))
(define (pick vector) (vector-ref vector (random (vector-length vector))))

;; ---- originals ---------------------------------------------------------------------------------------

(define (lines . strings)
  (apply string-append (map (lambda (string) (string-append string "\n")) strings)))

(define sources
  (list (lines ".global f, _start" ".weak w, v" "_start: imm r1, (+ 1 (quotient (address \"g\") 3))" "f: jump w"
               "hcall r1, write" "v: .align 16" "1: beqi r1, 0, 1b" "call r5, h"
               "imm r2, (- (address \"end\") (address \"f\"))"
               "end: .data" "g = h" "k = 7" "k = 8" ".equ m, (* 2 (address \"w\"))" ".zero 9" ".word g, end, m"
               ".uleb128 m"
               ".fill (- (address \"end\") (address \"end2\")), 2, 7" ".zero (bitwise-and (address \"h\") 15)"
               "end2: .assert (< (address \"g\") 9), \"no\"" ".bss" "b: .zero 1000" ".quad b")
        (lines ".global h, w" "(define-instruction (element (to d) (base s) (count i 1 8)) (addi to base count))"
               "(define (twice r) (list (list addi r r 1) (list addi r r 1)))" "h: ret" "w: element r1, r2, 3"
               "(twice r4)"
               "(view \"t\" 'u64)" ".section .t \"r\", 0x200000, keep" "t: .word 1, 2, 3, 4" ".entry h")
        (read-file-text (path-expand "listing.s" folder))
        (read-file-text (path-expand "defined.s" folder))))

(define (quietly thunk)
  (parameterize ((current-error-port (open-output-string)) (current-output-port (open-output-string))) (thunk)))

(define objects
  (list->vector (map (lambda (source) (quietly (lambda () (object->bytes (asm-object-string source name: "o.s")))))
                     sources)))

(define (archive-of . members)
  (archive->bytes
   (make-archive "lib.a" (map (lambda (bytes number) (make-member (text "member-with-a-long-name" number ".o") bytes))
                              members (iota (length members))))))

(define images
  (list->vector (map (lambda (source) (quietly (lambda () (image->bytes (program-image (asm-string source))))))
                     (cddr sources))))

;; ---- damage ------------------------------------------------------------------------------------------

(define numbers
  (vector-map uleb128-bytes
              (vector 0 1 2 3 127 128 255 65535 65536 (expt 2 30) (- (expt 2 32) 1) (expt 2 40) (expt 2 60)
                      (- (expt 2 63) 1) (- (expt 2 64) 1) (expt 2 64) (expt 2 4000))))

(define snippets
  (vector-map string->utf8
              '#("\n" "\x1b;[2J" "\x0;" "/" "../x" "\x9b;" "%s%n" "\xfffd;" "_start" "write" "`\n" "//" "/9" "100644")))

;; Some bytes removed, doubled, changed, or put in.
(define (mutated bytes)
  (mutation bytes 6 random
    (lambda (before here behind)
      (let ((n (u8vector-length bytes)) (at (u8vector-length before)))
        (case (random 7)
          ((0) (list before behind))
          ((1) (list before here here behind))
          ((2) (list before (u8vector (random 256)) behind))
          ((3) (list before (pick numbers) behind))
          ((4) (list before (pick snippets) here behind))
          ((5) (let ((other (random (+ n 1)))) (list before (subu8vector bytes other (min n (+ other 20))) behind)))
          (else (if (< at n)
                    (list before (u8vector (modulo (+ (u8vector-ref bytes at) (pick '#(1 255 128 2))) 256))
                          (subu8vector bytes (+ at 1) n))
                    (list before))))))))

(define (mutated-often bytes)
  (let loop ((bytes bytes) (times (+ 1 (random 3))))
    (if (= times 0) bytes (loop (mutated bytes) (- times 1)))))

;; One byte is another: most of the numbers in a file are small ones, and many stay good.
(define (nudged bytes)
  (if (= 0 (u8vector-length bytes))
      bytes
      (let ((copy (u8vector-copy bytes)))
        (u8vector-set! copy (random (u8vector-length copy)) (random (pick '#(2 10 20 128 256))))
        copy)))

(define (longest chunks)
  (let ((length (apply max (map u8vector-length chunks))))
    (list-index (lambda (chunk) (= length (u8vector-length chunk))) chunks)))

;; An object or image with one of its chunks damaged, and lengths and checksum that are right.
(define (with-damaged-chunk bytes)
  (let* ((chunk-count (u8vector-ref-le bytes 12 4))
         (entry (lambda (i) (+ 24 (* 24 i))))
         (chunks (map (lambda (i)
                        (let ((start (u8vector-ref-le bytes (+ 8 (entry i)) 8)))
                          (subu8vector bytes start (+ start (u8vector-ref-le bytes (+ 16 (entry i)) 8)))))
                      (iota chunk-count)))
         ;; The longest chunk, the parts of an object, has the most to go wrong.
         (victim (if (= 0 (random 2)) (random chunk-count) (longest chunks)))
         (damage (if (= 0 (random 4)) mutated-often nudged))
         (damaged (map (lambda (chunk i) (if (= i victim) (damage chunk) chunk)) chunks (iota chunk-count)))
         (padded (lambda (chunk) (* 8 (quotient (+ 7 (u8vector-length chunk)) 8))))
         (total (+ 8 (apply + (entry chunk-count) (map padded damaged))))
         (result (make-u8vector total 0)))
    (subu8vector-move! bytes 0 (entry chunk-count) result 0)
    (u8vector-set-le! result 16 8 total)
    (let loop ((chunks damaged) (i 0) (at (entry chunk-count)))
      (if (pair? chunks)
          (begin
            (u8vector-set-le! result (+ 8 (entry i)) 8 at)
            (u8vector-set-le! result (+ 16 (entry i)) 8 (u8vector-length (car chunks)))
            (subu8vector-move! (car chunks) 0 (u8vector-length (car chunks)) result at)
            (loop (cdr chunks) (+ i 1) (+ at (padded (car chunks)))))))
    (u8vector-set-le! result (- total 8) 8 (vm-checksum result 0 (- total 8)))
    result))

(define (damaged-file)
  (case (random 12)
    ((0) (mutated-often (pick objects)))
    ((1) (mutated-often (pick images)))
    ((2) (mutated-often (apply archive-of (vector->list objects))))
    ((3) (archive-of (pick objects) (with-damaged-chunk (pick objects)) (mutated-often (pick images))))
    ((4 5 6) (with-damaged-chunk (pick images)))
    (else (with-damaged-chunk (pick objects)))))

;; ---- tools -------------------------------------------------------------------------------------------

(define (fine-output? string)
  (not (string-index string (lambda (c) (and (control-character? c) (not (memv c '(#\newline #\tab))))))))

;; accepted or refused, or a text that says what is wrong.
(define (outcome thunk)
  (with-exception-catcher
   (lambda (exception)
     (cond ((asm-error? exception)
            (if (fine-output? (asm-error->text exception)) 'refused "the error has control characters"))
           ((or (vm-error? exception) (load-error? exception)) 'refused)
           ((string? exception) exception)
           (else (exception->text exception))))
   (lambda () (thunk) 'accepted)))

(define (printed thunk)
  (if (not (fine-output? (with-captured-output thunk))) (raise "the output has control characters")))

(define (run-image image)
  (let ((machine (make-machine memory-limit: 67108864)))
    (machine-load! machine image)
    (machine-run! machine 2000)))

;; The linker takes objects and archives.
(define (linked bytes others #!optional (drop? #f))
  (let ((input (if (object-bytes? bytes) (bytes->object bytes "x.o") (bytes->archive bytes "x.a"))))
    (link (cons input others) name: "fuzz" drop?: drop?)))

(define (linked-image bytes others) (program-image (link-program (linked bytes others))))

(define (others) (map (lambda (bytes) (bytes->object bytes "other.o")) (list (vector-ref objects 1))))

(define tools
  (list
   (cons "nm" (lambda (bytes) (printed (lambda () (binary-nm bytes) (binary-nm bytes numeric?: #t global?: #t)))))
   (cons "size" (lambda (bytes) (printed (lambda () (binary-size (list bytes))))))
   (cons "objdump" (lambda (bytes) (printed (lambda () (binary-objdump bytes)))))
   (cons "disasm" (lambda (bytes) (printed (lambda () (binary-disasm bytes)))))
   (cons "link" (lambda (bytes) (run-image (linked-image bytes '()))))
   (cons "link with others" (lambda (bytes) (linked-image bytes (others))))
   (cons "link --gc-sections"
         (lambda (bytes) (printed (lambda () (display (link-map (linked bytes (others) #t)))))))
   (cons "run" (lambda (bytes) (run-image (->image bytes))))
   (cons "disasm --source"
         (lambda (bytes)
           (if (object-bytes? bytes)
               (printed (lambda () (display (object->source (bytes->object bytes "x")))))
               (image->source (->image bytes)))))
   (cons "strip"
         (lambda (bytes)
           (let ((bare (binary-strip bytes)))
             (if (not (equal? bare (binary-strip bare))) (raise "stripped twice is not stripped once"))
             (if (object-bytes? bytes) (check-same-program bytes bare)))))
   (cons "written again"
         (lambda (bytes)
           (if (object-bytes? bytes)
               (let ((again (object->bytes (bytes->object bytes "x"))))
                 (if (not (equal? again (object->bytes (bytes->object again "x"))))
                     (raise "it reads as another object"))))
           (if (archive-bytes? bytes)
               (let ((again (archive->bytes (bytes->archive bytes "x"))))
                 (if (not (equal? again (archive->bytes (bytes->archive again "x"))))
                     (raise "it reads as another archive"))))))))

(define (check-same-program bytes bare)
  (let* ((program-of (lambda (bytes)
                       (with-exception-catcher
                        (lambda (exception)
                          (if (or (asm-error? exception) (vm-error? exception)) #f (raise exception)))
                        (lambda () (binary-strip (linked-image bytes '()))))))
         (before (program-of bytes)))
    (if (and before (not (equal? before (program-of bare)))) (raise "stripped, it links to something else"))))

;; ---- commands ----------------------------------------------------------------------------------------

(define path (temporary-path "comet-vm-fuzz"))

(define command-lines
  '(("nm") ("size") ("objdump") ("disasm") ("disasm" "--source") ("link" "-o" "/dev/null") ("ar" "t") ("ar" "p")
    ("strip" "-o" "/dev/null") ("run" "--fuel" "1000") ("debug" "--core")))

(define good-statuses '(0 1 64 65 66 71 77 123 132))

;; #f, or what is wrong. Of a program's own exit statuses nothing is known.
(define (command-failure arguments)
  (let* ((port (open-process (list path: comet-vm arguments: (append arguments (list path))
                                   stderr-redirection: #t environment: (list "COMET_HISTORY=" "COMET_CONFIG="))))
         (output (begin
                   (close-output-port port)
                   (read-line port #f)))
         (status (quotient (process-status port) 256)))
    (close-port port)
    (if (or (memv status good-statuses)
            (and (string=? "run" (car arguments)) (not (= status 70))))
        #f
        (text (string-join (cons "comet-vm" arguments)) " ends with status " status ": " output))))

;; ---- the run -----------------------------------------------------------------------------------------

(define (call-with-patience thunk)
  (let ((thread (make-thread thunk)))
    (thread-start! thread)
    (thread-join! thread patience "it hangs")))

(define (fail i name result bytes)
  (write-file-bytes path bytes)
  (println "file " i " of seed " seed ", kept as " path ": " name ": " result)
  (println i " passed, 1 failed")
  (exit 1))

(define (do-commands i bytes)
  (write-file-bytes path bytes)
  (for-each (lambda (arguments)
              (let ((failure (command-failure arguments)))
                (if failure (fail i "a command" failure bytes))))
            command-lines)
  (delete-file path))

(define accepted (make-table test: equal?))   ; the name of a tool -> how many files it took

(define (do-tool i tool bytes)
  (let* ((name (car tool))
         (result (call-with-patience
                  (lambda () (quietly (lambda () (outcome (lambda () ((cdr tool) bytes)))))))))
    (case result
      ((accepted) (table-set! accepted name (+ 1 (table-ref accepted name 0))))
      ((refused) #t)
      (else (fail i name result bytes)))))

(define (run)
  (let loop ((i 0))
    (if (< i count)
        (let ((bytes (damaged-file)))
          (for-each (lambda (tool) (do-tool i tool bytes)) tools)
          (if (and (= 0 (modulo i commands-every)) (file-exists? comet-vm)) (do-commands i bytes))
          (loop (+ i 1)))))
  (println seed ": accepted by "
           (string-join (map (lambda (tool) (text (car tool) " " (table-ref accepted (car tool) 0))) tools) ", "))
  (println count " passed, 0 failed")
  (exit 0))

(run)
