(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/machine)
(use scheme-lib/profile)
(use scheme-lib/flame-graph)
(use scheme-lib/heat-map)
(use asm/program)
(use asm/image)
(use debugger/session)
(use debugger/run)
(use debugger/timeline)
(use debugger/profiles)
(use vm-ext/gambit/vm)

;; Counts down from r1 = ROUNDS, and calls `work` each time, which writes and reads 8 bytes.
(define (source rounds)
  (string-append "_start:\n imm r1, " (number->string rounds) "\n"
                 "again: call r4, work\n addi r1, r1, -1\n bnei r1, 0, again\n halt\n"
                 "work: imm r2, table\n st64 r2, r0\n ldu64 r3, r2\n ret\n"
                 ".bss\ntable: .zero 8\n"))

(define (image-of rounds)
  (let ((path (temporary-path "profile")))
    (write-file-text path (source rounds))
    (let ((image (program-image (asm-file path)))) (delete-file path) image)))

(define (profiled rounds . options)
  (let ((m (make-machine)) (p (make-profile)))
    (machine-load! m (image-of rounds))
    (list m p (apply machine-profile! m p options))))

(define (symbol-row m p name)
  (let ((share (find (lambda (share) (string=? (share-name share) name)) (profile-symbols p m))))
    (and share (list (share-self share) (share-inclusive share) (share-calls share)))))

(test-group "profiles that count each instruction"
  (let* ((all (profiled 100 every: 1)) (m (car all)) (p (cadr all)) (stop (caddr all)))
    (test "the run is a plain one" '(halted 702 702) (list (stop-reason stop) (stop-executed stop) (stop-count stop)))
    (test "all is counted" 702 (profile-instructions p))
    (test "and nothing estimated or lost" '(#f 0) (list (profile-sampled? p) (profile-lost p)))
    (test "by symbol: there, with callees, calls" '(400 400 100) (symbol-row m p "work"))
    (test "a label has a share as well" '(301 301 0) (symbol-row m p "again"))
    (test "which its function's includes" '(1 702 0) (symbol-row m p "_start"))
    (test "by stack" '((("_start") . 1) (("_start" "again") . 301) (("_start" "work") . 400)) (profile-stacks p m))
    (test "by opcode" 100 (assq-value 'call (profile-opcodes p m)))
    (test "by opcode behind another" 100 (cdr (assoc '(st64 . ldu64) (profile-pairs p m))))
    (test "by address" 1 (cdr (assv #x10000 (profile-places p))))
    (test "by source line" 100 (cdr (find (lambda (entry) (= (cdar entry) 7)) (profile-lines p m))))
    (let ((cell (find (lambda (cell) (= (cell-address cell) (machine-symbol m "table"))) (profile-accesses p))))
      (test "by memory" '(100 100 0) (list (cell-reads cell) (cell-writes cell) (cell-executions cell))))))

(test-group "profiles of samples"
  (let* ((all (profiled 300000)) (m (car all)) (p (cadr all)) (again (cadr (profiled 300000))))
    (test "the run is a plain one" '(halted 2100002) (list (stop-reason (caddr all)) (stop-count (caddr all))))
    (test-assert "they are estimates" (profile-sampled? p))
    (test-assert "of nearly as many instructions" (< 2000000 (profile-instructions p) 2200000))
    (let ((share (/ (car (symbol-row m p "work")) (profile-instructions p))))
      (test-assert "with nearly the right shares" (< 55/100 share 59/100)))
    (test "the same run has the same profile" (profile-places p) (profile-places again)))
  (let ((all (profiled 300000 every: 100 fuel: 64000)))
    (test "fuel is exact, and one of so many is looked at" '(out-of-fuel 64000 64000)
          (list (stop-reason (caddr all)) (stop-executed (caddr all)) (profile-instructions (cadr all)))))
  (let* ((m (make-machine)) (p (make-profile)))
    (machine-load! m (image-of 100000))
    (machine-break! m 'work)
    (machine-run! m)
    (test "breakpoints stop it" '(breakpoint 9)
          (let ((stop (machine-profile! m p))) (list (stop-reason stop) (stop-count stop))))))

(define (file-of write)
  (let ((path (temporary-path "profile")))
    (write path)
    (let ((text (read-file-text path))) (delete-file path) text)))

(test-group "files"
  (let* ((all (profiled 100 every: 1)) (m (car all)) (p (cadr all)) (stacks (profile-stacks p m)))
    (test "folded stacks are a line each" "_start 1\n_start;again 301\n_start;work 400\n"
          (file-of (lambda (path) (write-folded-stacks path stacks))))
    (let ((svg (file-of (lambda (path) (write-flame-graph path "a < b" stacks)))))
      (test-assert "a flame graph is a drawing" (string-prefix? "<svg " svg))
      (test-assert "with a title" (string-contains svg "a &lt; b"))
      (test-assert "whose bars tell what they are" (string-contains svg "<title>work: 400 instructions, 57.0%</title>")))
    (let ((svg (file-of (lambda (path) (write-heat-map path "heat" p (lambda (address) (machine-address->text m address)))))))
      (test-assert "a heat map tells of reads" (string-contains svg "&lt;table&gt;: 100 reads</title>"))
      (test-assert "writes" (string-contains svg ": 100 writes</title>"))
      (test-assert "and execution" (string-contains svg ": 702 execution</title>"))))
  (let ((p (make-profile)))
    (test-assert "a profile of nothing is drawn as well"
                 (string-prefix? "<svg " (file-of (lambda (path) (write-flame-graph path "none" (profile-stacks p (make-machine)))))))
    (test-assert "and its memory" (string-contains (file-of (lambda (path) (write-heat-map path "none" p (lambda (address) #f)))) ">none<"))))

(test-group "the past of a program"
  (parameterize ((current-session (new-session)))
    (let ((path (temporary-path "profile")))
      (write-file-text path (source 1000))
      (load-program! path)
      (run-program!)
      (let ((m (session-machine (the-session))))
        (test "is counted whole" '(7002 4000) (let ((p (profile))) (list (profile-instructions p) (car (symbol-row m p "work")))))
        (test "or from one count to another" 700 (profile-instructions (profile 1001 1701)))
        (test "or in samples" '(#t 6400) (let ((p (profile 0 6400 10))) (list (profile-sampled? p) (profile-instructions p))))
        (test "and the program stays where it was" 7002 (machine-count m))
        (timeline-goto! 100)
        (test "in its past, too" '(7002 100) (let ((p (profile))) (list (profile-instructions p) (machine-count m))))
        (test-error "what is no stretch is told" "from 500 to 500 there are no instructions on the timeline to profile"
                    (profile 500 500)))
      (delete-file path))))

(test-group "statistics"
  (let ((m (car (profiled 100))))
    ;; How much it is, the tests of the core know: a portable build decodes nothing.
    (test-assert "decoded code is told of" (<= 0 (assq-value 'decoded-instructions (machine-statistics m))))
    (test-assert "with its bound" (< 0 (assq-value 'decoded-bytes (machine-statistics m)) (assq-value 'decoded-limit (machine-statistics m))))
    (test "which was not reached" 0 (assq-value 'decoded-drops (machine-statistics m)))))
