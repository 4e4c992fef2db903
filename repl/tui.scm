;; The screen: source, code, registers, activations, memory and the timeline at a glance, driven by keys.
;;
;; Keys do what commands do; `:` takes any line of the prompt. What the program writes is collected, shown below,
;; and printed when the screen is left.

(module repl/tui)
(use scheme-lib/util)
(use scheme-lib/machine)
(use debugger/command)
(use debugger/session)
(use debugger/target)
(use debugger/program)
(use debugger/lines)
(use debugger/disassembly)
(use debugger/breakpoints)
(use debugger/timeline)
(use debugger/value)
(use debugger/run)
(use debugger/changes)
(use debugger/show)
(use debugger/panes)
(use repl/terminal)
(use repl/line-editor)
(use repl/history)
(use repl/completion)
(use repl/do-line)
(use repl/screen)

;; What the screen shows beside the session's state.
(define-type view
  constructor: make-view
  focus       ; the pane that scrolls: source, code or memory; registers, where only one pane finds room
  line        ; where the cursor is in the source, #f: where the program is
  top-line    ; of the source pane
  address     ; where the cursor is in the code, #f: where the program is
  top-address ; of the code pane
  memory      ; first address of the memory pane
  said        ; lines: what happened last
  output      ; what the program wrote, the last of it
  active?)

;; ---- the program's streams -------------------------------------------------------------------------------

(define output-limit 65536)

(define (collect! view)
  (lambda (text)
    (let* ((all (string-append (view-output view) text)) (length (string-length all)))
      (view-output-set! view (if (> length (* 2 output-limit)) (substring all (- length output-limit) length) all)))))

;; A line of input, asked for below. Ctrl-C leaves the program waiting.
(define (ask-for-input view)
  (lambda (length)
    (let ((line (ask view "the program reads a line of input: ")))
      (cond ((eof-object? line) (u8vector))
            ((string? line) (string->utf8 (string-append line "\n")))
            (else ((run-escape)))))))

(define (connected view thunk)
  (let ((before (session-streams (the-session))))
    (dynamic-wind
     (lambda () (session-connect! (list (ask-for-input view) (collect! view) (collect! view))))
     thunk
     (lambda () (session-connect! before)))))

;; ---- layout ----------------------------------------------------------------------------------------------

;; A screen of less than this shows one pane at a time, the one in focus.
(define least-width 60)
(define least-height 16)
(define (small? width height) (or (< width least-width) (< height least-height)))

;; Rows for what was said, and whether the timeline and the keys have one: what is small goes without.
(define (said-rows height) (cond ((>= height least-height) 4) ((>= height 10) 2) ((>= height 4) 1) (else 0)))
(define (timeline-row? height) (>= height 7))
(define (keys-row? height) (>= height 9))
(define (bottom-rows height)
  (+ (said-rows height) (if (timeline-row? height) 1 0) (if (keys-row? height) 1 0)))

(define (current-place) (line-at (current-address)))
(define (has-source? view) (and (current-place) (file-lines (place-file (current-place))) #t))

(define (header view pane title width)
  (segments->line (list (text "-- " title " " (make-string width #\-))) width
                  (if (eq? pane (view-focus view)) 'title 'faint)))

;; The first of `rows` lines such that the cursor is among them; as before where it is.
(define (first-line view cursor rows last)
  (let* ((top (view-top-line view))
         (top (if (and top (<= top cursor (+ top rows -1))) top (- cursor (quotient rows 2))))
         (top (max 1 (min top (- last rows -1)))))
    (view-top-line-set! view top)
    top))

(define (first-address view cursor rows)
  (let* ((top (view-top-address view))
         (top (if (and top (assv cursor (code-rows top rows)))
                  top
                  (instructions-before cursor (quotient rows 2)))))
    (view-top-address-set! view top)
    top))

;; Rows as lines; the one with the cursor is reversed where the cursor was moved.
(define (lines rows cursor width)
  (map (lambda (row)
         (segments->line (row-segments row) width (and cursor (eqv? cursor (row-place row)) 'cursor)))
       rows))

(define (source-lines view rows width)
  (let* ((place (current-place))
         (file (place-file place))
         (cursor (or (view-line view) (place-line place)))
         (top (first-line view cursor rows (vector-length (file-lines file)))))
    (cons (header view 'source file width) (lines (source-rows file top rows) (view-line view) width))))

(define (code-lines view rows width)
  (let* ((cursor (or (view-address view) (current-address))) (top (first-address view cursor rows)))
    (cons (header view 'code "code" width) (lines (code-rows top rows) (view-address view) width))))

(define (memory-lines view rows width)
  (cons (header view 'memory "memory" width)
        (lines (memory-rows (view-memory view) rows (bytes-in-row width)) #f width)))

(define (bytes-in-row width) (cond ((>= width 78) 16) ((>= width 35) 8) ((>= width 28) 4) (else 2)))

(define (register-lines view rows width)
  (cons (header view 'registers "registers" width) (lines (register-rows) #f width)))

;; Exactly so many lines.
(define (filled lines rows width)
  (let ((lines (take-at-most lines rows)))
    (append lines (map (lambda (i) (make-string width #\space)) (iota (- rows (length lines)))))))

(define (left-pane view rows width)
  (cond ((not (has-source? view)) (filled (code-lines view (- rows 1) width) rows width))
        ((< rows 16)
         (filled ((if (eq? (view-focus view) 'code) code-lines source-lines) view (- rows 1) width) rows width))
        (else
         (let ((upper (quotient (* 3 rows) 5)))
           (append (filled (source-lines view (- upper 1) width) upper width)
                   (filled (code-lines view (- rows upper 1) width) (- rows upper) width))))))

(define (right-pane view rows width)
  (let* ((calls (min 5 (target-depth) (max 1 (- (quotient rows 4) 1))))
         (memory (max 3 (quotient rows 3)))
         (displayed (displayed-rows))
         (shown (if (null? displayed) 0 (min (+ 1 (length displayed)) (max 2 (quotient rows 3)))))
         (registers (max 2 (- rows memory calls shown 1)))
         (memory (- rows registers calls shown 1)))
    (append (filled (register-lines view registers width) registers width)
            (if (null? displayed)
                '()
                (filled (cons (header view #f "displayed" width) (lines displayed #f width)) shown width))
            (filled (cons (header view #f (text "activations, " (grouped (target-depth))) width)
                          (lines (activation-rows calls) #f width))
                    (+ calls 1) width)
            (filled (memory-lines view (max 0 (- memory 1)) width) memory width))))

(define (last-lines string count)
  (let ((lines (string-split string #\newline)))
    (list-tail lines (max 0 (- (length lines) count)))))

;; What happened last, above it what the program wrote.
(define (bottom view width height)
  (let* ((rows (said-rows height))
         (said (take-at-most (view-said view) rows))
         (output (last-lines (string-trim (view-output view)) (- rows (length said))))
         (blank (make-list (- rows (length said) (length output)) ""))
         (keys (if (small? width height)
                   "? help, Tab other panes, q leave"
                   "s step, n next, f finish, c continue; capitals: back; b break, : command, ? help, q leave")))
    (append (if (timeline-row? height) (list (segments->line (timeline-segments width) width)) '())
            (map (lambda (line) (segments->line (list line) width)) (append blank output said))
            (if (keys-row? height) (list (segments->line (list keys) width 'faint)) '()))))

;; The pane in focus alone; a header only where there is room for more than it.
(define (single-pane view rows width)
  (let* ((header? (> rows 2))
         (pane ((case (view-focus view)
                  ((memory) memory-lines)
                  ((registers) register-lines)
                  ((source) (if (has-source? view) source-lines code-lines))
                  (else code-lines))
                view (max 1 (if header? (- rows 1) rows)) width)))
    (filled (if header? pane (cdr pane)) rows width)))

(define (two-panes view rows width)
  (let* ((right (max 30 (min 52 (quotient width 2)))) (left (- width right 1)))
    (map (lambda (left right) (string-append left (segments->line '((faint . "|")) 1) right))
         (left-pane view rows left)
         (right-pane view rows right))))

(define (screen-lines view width height)
  (let ((rows (max 0 (- height (bottom-rows height) 1))) (small? (small? width height)))
    (if (and (not small?) (eq? (view-focus view) 'registers)) (next-focus! view))
    (append (list (segments->line (list (if small? "" " comet-vm  ") (program-state)) width 'title))
            ((if small? single-pane two-panes) view rows width)
            (bottom view width height))))

(define (draw! view) (screen-draw! (screen-lines view (terminal-width) (terminal-height))))

;; ---- asking and showing ------------------------------------------------------------------------------------

;; A line, edited on the last row.
(define (ask view prompt)
  (draw! view)
  (let ((line (call-with-cursor (lambda () (edit-line prompt complete)))))
    (if (string? line) (history-add! line))
    line))

;; Shows lines that may be more than the screen has; a key that does not scroll ends it.
(define (page! lines)
  (let loop ((top 0))
    (let* ((width (terminal-width))
           (rows (- (terminal-height) 1))
           (last (max 0 (- (length lines) rows)))
           (top (max 0 (min top last)))
           (hint (if (> last 0) "arrows and page keys scroll; any other key goes back" "any key goes back")))
      (screen-forget!)
      (screen-draw!
       (append (filled (map (lambda (line) (segments->line (list line) width)) (list-tail lines top)) rows width)
               (list (segments->line (list hint) width 'faint))))
      (case (read-key)
        ((up) (loop (- top 1)))
        ((down) (loop (+ top 1)))
        ((page-up) (loop (- top rows)))
        ((page-down) (loop (+ top rows)))
        (else (screen-forget!))))))

(define (say! view . lines) (view-said-set! view lines))

(define (said-lines said) (string-split (string-trim said) #\newline))

;; ---- doing -----------------------------------------------------------------------------------------------

(define (follow! view)
  (view-line-set! view #f)
  (view-address-set! view #f))

(define (arrived! view pause)
  (follow! view)
  (note-registers!)
  (let ((line (pause-line pause))) (if line (say! view line) (say! view))))

(define (now) (time->seconds (current-time)))

;; What takes longer is told, and a screen that changes its size meanwhile is drawn.
(define (accompany view)
  (let ((begin-time (now)) (told? #f) (size #f))
    (lambda ()
      (let ((size-now (cons (terminal-width) (terminal-height))))
        (if (and (> (- (now) begin-time) 0.2) (not (equal? size size-now)))
            (begin
              (if (and told? size) (screen-forget!))
              (set! told? #t)
              (set! size size-now)
              (say! view "running; Ctrl-C stops it")
              (draw! view)))
        #t))))

(define (go! view go)
  (arrived! view (escapable view go)))

;; What Ctrl-C ends, and is accompanied while the machine runs.
(define (escapable view thunk)
  (parameterize ((run-companion (accompany view)))
    (call-with-silent-keys
     (lambda () (call-escapable thunk (lambda () (raise-user-error "interrupted")))))))

(define (command! view line)
  (let ((before (session-stop (the-session))))
    (let ((lines (said-lines (escapable view (lambda () (do-line line))))))
      (if (not (eq? (session-stop (the-session)) before)) (follow! view))
      (view-said-set! view lines)
      (if (> (length lines) (said-rows (terminal-height))) (page! lines)))))

(define (ask-command! view beginning)
  (let ((line (ask view beginning)))
    (if (and (string? line) (not (blank-string? line))) (command! view line) (say! view))))

(define (ask-memory! view)
  (let ((line (ask view "memory at: ")))
    (if (and (string? line) (not (blank-string? line)))
        (begin
          (view-memory-set! view (word->integer (string-trim line)))
          (view-focus-set! view 'memory)))))

(define (select-level! view level)
  (if (< -1 level (target-depth)) (begin (session-level-set! (the-session) level) (follow! view))))

;; The address that the cursor means.
(define (cursor-address view)
  (case (view-focus view)
    ((source)
     (let ((found (and (view-line view) (line-instruction (place-file (current-place)) (view-line view)))))
       (if found (car found) (current-address))))
    (else (or (view-address view) (current-address)))))

(define (toggle-breakpoint! view)
  (let* ((address (cursor-address view)) (breakpoint (breakpoint-at address)))
    (if breakpoint (breakpoint-remove! breakpoint) (breakpoint-add! address (address-text address)))
    (say! view (text (if breakpoint "no breakpoint any more at " "breakpoint at ") (where-text address)))))

(define (next-focus! view)
  (let ((order (append (if (has-source? view) '(source) '())
                       '(code memory)
                       (if (small? (terminal-width) (terminal-height)) '(registers) '()))))
    (let ((rest (memq (view-focus view) order)))
      (view-focus-set! view (if (and rest (pair? (cdr rest))) (cadr rest) (car order))))))

(define (move! view rows)
  (case (view-focus view)
    ((source)
     (if (has-source? view)
         (let* ((place (current-place)) (last (vector-length (file-lines (place-file place)))))
           (view-line-set! view (max 1 (min last (+ rows (or (view-line view) (place-line place)))))))))
    ((code) (view-address-set! view (instructions-away (or (view-address view) (current-address)) rows)))
    ((memory)
     (view-memory-set! view (u64 (+ (view-memory view) (* rows (bytes-in-row (memory-width)))))))))

(define (memory-width)
  (let ((width (terminal-width)))
    (if (small? width (terminal-height)) width (quotient width 2))))

(define (instructions-away address count)
  (cond ((< count 0) (instructions-before address (- count)))
        ((= count 0) address)
        (else
         (let* ((instruction (target-instruction address))
                (next (and instruction (u64 (+ address (max 1 (instruction-length instruction)))))))
           (if (and next (target-instruction next)) (instructions-away next (- count 1)) address)))))

;; A twentieth of the timeline back or forth.
(define (travel! view direction)
  (let* ((timeline (the-timeline)) (start (timeline-start timeline)) (end (timeline-end timeline))
         (stride (max 1 (quotient (- end start) 20))))
    (go! view (lambda () (goto-count! (max start (min end (+ (target-count) (* direction stride)))))))))

;; ---- keys ------------------------------------------------------------------------------------------------

;; The keys, what help says of them, and what they do.
(define keys
  (list
   (list '(#\s) "s, S" "step, reverse-step" (lambda (view) (go! view step-program!)))
   (list '(#\S) #f #f (lambda (view) (go! view reverse-step!)))
   (list '(#\n) "n, N" "next, reverse-next: calls as a whole" (lambda (view) (go! view next-program!)))
   (list '(#\N) #f #f (lambda (view) (go! view reverse-next!)))
   (list '(#\l) "l, L" "next source line, and back" (lambda (view) (go! view next-line!)))
   (list '(#\L) #f #f (lambda (view) (go! view reverse-next-line!)))
   (list '(#\f) "f, F" "finish, reverse-finish: to the caller" (lambda (view) (go! view finish-activation!)))
   (list '(#\F) #f #f (lambda (view) (go! view reverse-finish!)))
   (list '(#\c) "c, C" "continue, reverse-continue; Ctrl-C stops" (lambda (view) (go! view continue-program!)))
   (list '(#\C) #f #f (lambda (view) (go! view reverse-continue!)))
   (list '(#\r) "r" "run from the beginning" (lambda (view) (go! view run-program!)))
   (list '(#\[) "[, ]" "a twentieth of the timeline back, forth" (lambda (view) (travel! view -1)))
   (list '(#\]) #f #f (lambda (view) (travel! view 1)))
   (list '(#\<) "<, >" "to the start of the timeline, to its end" (lambda (view) (go! view goto-start!)))
   (list '(#\>) #f #f (lambda (view) (go! view (lambda () (goto-count! (timeline-end (the-timeline)))))))
   (list '(#\b) "b" "a breakpoint at the cursor, or none any more" toggle-breakpoint!)
   (list '(#\u) "u, d" "up to the caller, down to what it called"
         (lambda (view) (select-level! view (+ (session-level (the-session)) 1))))
   (list '(#\d) #f #f (lambda (view) (select-level! view (- (session-level (the-session)) 1))))
   (list '(tab) "Tab" "another pane to move in: source, code, memory; registers on a small screen" next-focus!)
   (list '(up #\k) "arrows, page keys" "move the cursor; j and k do, too" (lambda (view) (move! view -1)))
   (list '(down #\j) #f #f (lambda (view) (move! view 1)))
   (list '(page-up) #f #f (lambda (view) (move! view -10)))
   (list '(page-down) #f #f (lambda (view) (move! view 10)))
   (list '(home #\.) "Home or ." "the cursor back to where the program is" follow!)
   (list '(#\m) "m" "another address for the memory pane" ask-memory!)
   (list '(#\:) ":" "a line of the prompt: a command or Scheme" (lambda (view) (ask-command! view "comet> ")))
   (list '(#\o) "o" "all that the program wrote"
         (lambda (view) (page! (said-lines (view-output view)))))
   (list '(refresh) "Ctrl-L" "draws all anew" (lambda (view) (screen-forget!)))
   (list '(suspend) #f #f (lambda (view) (suspend-process) (screen-forget!)))
   (list '(#\?) "?" "this help" (lambda (view) (page! (help-lines))))
   (list '(#\q) "q" "back to the prompt" (lambda (view) (view-active?-set! view #f)))))

(define (help-lines)
  (append '("Keys of the screen" "")
          (filter-map (lambda (key) (and (cadr key) (text "  " (string-pad-right (cadr key) 20) (caddr key)))) keys)
          '("" "=> marks where the program is, * a breakpoint or a register that changed since the last stop.")))

(define (act! view key)
  (let ((entry (find (lambda (entry) (memv key (car entry))) keys)))
    (cond (entry
           (with-exception-catcher
            (lambda (exception) (say! view (text "error: " (error-line exception))))
            (lambda () ((cadddr entry) view))))
          ((eof-object? key) (view-active?-set! view #f))
          ((eq? key 'cancel) (say! view "q goes back to the prompt")))))

;; ---- the screen --------------------------------------------------------------------------------------------

(define poll-seconds 0.25)

;; Keys, and the size of the terminal, which is looked at between them.
(define (serve! view)
  (let loop ((size #f))
    (let ((now (cons (terminal-width) (terminal-height))))
      (if (not (equal? size now)) (screen-forget!))
      (let ((key (begin (if (not (equal? size now)) (draw! view)) (read-key-within poll-seconds))))
        (if (not (eq? key 'none)) (begin (act! view key) (if (view-active? view) (draw! view))))
        (if (view-active? view) (loop now))))))

(define (first-data-address)
  (let ((region (or (find (lambda (region) (not (string-contains (caddr region) "x"))) (target-regions))
                    (and (pair? (target-regions)) (car (target-regions))))))
    (if region (car region) 0)))

(define (show-screen!)
  (let ((view (make-view 'source #f #f #f #f (first-data-address) '() "" #t)))
    (if (not (has-source? view)) (view-focus-set! view 'code))
    (note-registers!)
    (connected view (lambda () (call-with-screen (lambda () (serve! view)))))
    (display (view-output view))
    (fresh-line)))

(define on-screen? (make-parameter #f))

(define-command (tui)
  "Shows the program on a whole screen: source, code, registers, memory and the timeline. Keys drive it, ? lists \
them; q goes back to the prompt."
  group: looking repeat: #f
  (the-machine)
  (cond ((on-screen?) (raise-user-error "this is the screen already; q leaves it"))
        ((not (terminal-editable?))
         (raise-user-error "a screen needs a terminal that can place text, which this is not"
                           "; `registers`, `disassemble`, `examine` and `where` show the same"))
        (else (parameterize ((on-screen? #t)) (show-screen!)))))
