(##namespace ("debugger/lines#" source-files same-source? line-instruction line-start))
