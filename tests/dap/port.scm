;; The server at a port of this host.

(use scheme-lib/test)
(use scheme-lib/util)
(use scheme-lib/json)
(load "tests/dap/client.scm")

(define (start-server . arguments)
  (open-process (list path: comet-vm arguments: (append '("dap") arguments) stderr-redirection: #t)))

(test-group "a port"
  (define server (start-server "--port" "0"))
  (define place (read-line server))
  (define port (string->number (cadr (string-split place #\:))))
  (define client (make-client (open-tcp-client (list server-address: "127.0.0.1" port-number: port)) '() 0))
  (test "is told" "listening at 127.0.0.1:" (substring place 0 23))
  (test "serves as standard input does" "entry"
        (ref (launch-and-stop client "tests/repl/programs/factorial.s" void "stopOnEntry" #t) "reason"))
  (test "and ends with its client" 0
        (begin (request client "disconnect") (quotient (process-status server) 256)))
  (let ((second (start-server "--port" "99999")))
    (test "one that is none" "comet-vm: a port is a number from 0 to 65535, not 99999; see comet-vm dap --help"
          (read-line second))
    (test "is a mistake" 64 (quotient (process-status second) 256)))
  (let* ((taken (open-tcp-server (list server-address: "127.0.0.1" port-number: 0)))
         (number (socket-info-port-number (tcp-server-socket-info taken)))
         (third (start-server "--port" (number->string number))))
    (test "one that is taken" #t (and (string-contains (read-line third) " of 127.0.0.1 cannot be listened at: ") #t))
    (test "is the host's refusal" 71 (quotient (process-status third) 256))
    (close-port taken))
  (let ((fourth (start-server "x.s")))
    (test "a file is not taken" #t
          (string-prefix? "comet-vm: no file is taken, for the client names it in `launch`; `x.s` is too much"
                          (read-line fourth)))))
