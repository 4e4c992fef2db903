;; What is no message, and requests that make no sense: told, and nothing worse.

(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/json)
(use debugger/dap/transport)
(load "tests/dap/client.scm")

(define (send-bytes! client text)
  (let ((bytes (string->utf8 text)))
    (write-subu8vector bytes 0 (u8vector-length bytes) (client-port client))
    (force-output (client-port client))))

(define (send-frame! client text) (write-frame! text (client-port client)))

;; What the server says of bytes that cannot begin a message, and its exit status.
(define (end-by text)
  (let ((client (start-client)))
    (send-bytes! client text)
    (close-output-port (client-port client))
    (let ((said (ref (wait-for-event client "output") "output")))
      (list said (quotient (process-status (client-port client)) 256)))))

(test-group "what is no message ends the session with its reason"
  (test "a header without a length" '("comet-vm dap: a message's header lacks Content-Length\n" 65)
        (end-by "Content-Type: x\r\n\r\n{}"))
  (test "a length that is no number" '("comet-vm dap: Content-Length is no number: \"1x\"\n" 65)
        (end-by "Content-Length: 1x\r\n\r\n"))
  (test "a negative one" '("comet-vm dap: Content-Length is no number: \"-5\"\n" 65)
        (end-by "Content-Length: -5\r\n\r\n"))
  (test "one that no memory holds"
        '("comet-vm dap: a message of 99999999999 bytes; the longest that is taken has 8388608\n" 65)
        (end-by "Content-Length: 99999999999\r\n\r\n"))
  (test "a header line without an end"
        '("comet-vm dap: a line of a message's header is longer than 1000 bytes\n" 65) (end-by
                                                                                               (make-string 2000
                                                                                                            #\x)))
  (test "a header without an end" '("comet-vm dap: a message's header has more than 20 lines\n" 65)
        (end-by (string-repeat "X: y\r\n" 100)))
  (test "rubbish" 65 (cadr (end-by "\x0;\x1;\xfffd;\r\n\r\n")))
  (test "a message that ends too early ends as the input does" 0
        (let ((client (start-client)))
          (send-bytes! client "Content-Length: 100\r\n\r\n{\"seq\"")
          (close-output-port (client-port client))
          (quotient (process-status (client-port client)) 256))))

(test-group "a message that says nothing is told, and the next one served"
  (define client (start-client))
  (define (complaint-of content)
    (send-frame! client content)
    (ref (wait-for-event client "output") "output"))
  (test "no JSON" "comet-vm dap: JSON, character 2: `\"` is expected\n" (complaint-of "{seq: 1}"))
  (test "nothing" "comet-vm dap: JSON, character 1: the text ends where a value is expected\n" (complaint-of ""))
  (test "nested without an end" "comet-vm dap: JSON, character 201: nested deeper than 200 levels\n"
        (complaint-of (make-string 1000000 #\[)))
  (for-each (lambda (content)
              (test content "comet-vm dap: a message that is no request, or lacks `command` or `seq`\n"
                    (complaint-of content)))
            '("5" "[]" "{}" "{\"type\":\"request\",\"seq\":1}" "{\"type\":\"request\",\"command\":\"next\"}"
              "{\"type\":\"response\",\"command\":\"next\",\"seq\":1}" "{\"type\":\"request\",\"command\":7,\"seq\":1}"))
  (test "a length in small letters, and lines that end otherwise" '()
        (let ((content (json->text (json-object "seq" 1000 "type" "request" "command" "initialize"))))
          (send-bytes! client (text "Other: 1\ncontent-length:" (string-length content) "\n\n" content))
          (remove (lambda (member) (or (eq? #t (cdr member)) (vector? (cdr member))))
                  (ref (response client 1000) "body"))))
  (test "and the session is whole" 0 (stop-client client)))

(test-group "requests that make no sense"
  (define client (start-client))
  (test "an unknown one" "the request `fly` is not supported" (request client "fly"))
  (test "arguments that are no object" "`arguments` is to be an object"
        (begin
          (send-message! client (json-object "seq" 2000 "type" "request" "command" "initialize" "arguments" 5))
          (ref (response client 2000) "message")))
  (test "a program without a name" "`program` is to be a string" (request client "launch"))
  (test "and what is none" "`program` is to be a string" (request client "launch" "program" 5))
  (launch-and-stop client "tests/repl/programs/factorial.s" void "stopOnEntry" #t)
  (for-each
   (lambda (row)
     (test (text (car row) " " (cadr row)) #t (string? (apply request client (car row) (cdr row)))))
   (list '("setBreakpoints" "source" 5)
         (list "setBreakpoints" "source" (json-object "path" "x") "breakpoints" 5)
         '("disassemble" "memoryReference" "0" "instructionOffset" -99999999 "instructionCount" 3)
         (list "setBreakpoints" "source" (json-object "sourceReference" 5) "breakpoints" 5)
         '("setFunctionBreakpoints" "breakpoints" 5) '("stackTrace" "startFrame" "x") '("scopes" "frameId"
                                                                                        99999999999999999999)
         '("scopes" "frameId" -1) '("variables" "variablesReference" -7) '("variables" "variablesReference" 99999999)
         '("variables" "variablesReference" "1") '("setVariable" "variablesReference" 1 "name" 5 "value" "1")
         '("setVariable" "variablesReference" 1 "name" "r1" "value" "(car 5)")
         '("disassemble" "memoryReference" "0" "instructionCount" 99999999) '("disassemble" "memoryReference" "0"
                                                                              "instructionCount" -1)
         '("readMemory" "memoryReference" "(" "count" 1) '("readMemory" "memoryReference" "0" "count" -1)
         '("writeMemory" "memoryReference" "0" "data" "AAAA") '("evaluate" "expression" 5) '("evaluate" "expression"
                                                                                             "(error 5)")
         '("evaluate" "expression" "(raise 5)") '("evaluate" "expression" "x" "context" "hover") '("goto" "targetId"
                                                                                                   "x")
         '("dataBreakpointInfo" "name" "nonsense") '("setExpression" "expression" "main" "value"
                                                     "1") '("completions" "text" "x")))
  (test "values that no breakpoint has" '(#f #f)
        (map (lambda (breakpoint) (ref breakpoint "verified"))
             (set-breakpoints client "setInstructionBreakpoints" 5
                              (json-object "instructionReference" "0" "offset" -9))))
  (test "far offsets" 0
        (ref (request client "readMemory" "memoryReference" "0" "offset" (- (expt 10 30)) "count" 0)
             "unreadableBytes"))
  (test "instructions at the end of the world" 3 (length (instructions client "0xffffffffffffffff" 0 3)))
  (test "and before its beginning" 3 (length (instructions client "0" -100 3)))
  (test "the program stands where it stood" "entry"
        (begin (request client "reverseContinue") (ref (wait-for-event client "stopped") "reason")))
  (test "and the session is whole" 0 (stop-client client)))

;; Requests with random damage: each is answered or complained of.
(test-group "damaged requests"
  (define client (start-client))
  (launch-and-stop client "tests/repl/programs/factorial.s" void "stopOnEntry" #t)
  (let ((state 7) (last 0))
    (define (next n) (set! state (modulo (+ (* 1103515245 state) 12345) 2147483648))
      (modulo (quotient state 65536) n))
    (define requests
      (vector "\"setBreakpoints\",\"arguments\":{\"source\":{\"path\":\"a.s\"},\"breakpoints\":[{\"line\":3}]}"
              "\"stackTrace\",\"arguments\":{\"threadId\":1,\"startFrame\":0,\"levels\":20}"
              "\"disassemble\",\"arguments\":{\"memoryReference\":\"pc\",\"instructionOffset\":-3,\"instructionCount\":9}"
              "\"variables\",\"arguments\":{\"variablesReference\":3,\"start\":0,\"count\":5}"
              "\"readMemory\",\"arguments\":{\"memoryReference\":\"0x20000\",\"offset\":-8,\"count\":16}"
              "\"stepBack\",\"arguments\":{\"threadId\":1,\"granularity\":\"instruction\"}"
              "\"next\",\"arguments\":{\"threadId\":1}"))
    (define (damaged)
      (let ((content (text "{\"seq\":7,\"type\":\"request\",\"command\":" (vector-ref requests (next 7)) "}")))
        (for-each (lambda (i)
                    (string-set! content (next (string-length content))
                                 (string-ref "{}[]\",:\\0e-.91x " (next 16)))) (iota (next 3)))
        content))
    (for-each (lambda (i) (send-frame! client (damaged))) (iota 400))
    (client-sequence-set! client 100000)
    (test "leave the server whole" 11 (length (instructions client "0x10000" 0 11)))
    (test "to its end" 0 (stop-client client))))
