(##namespace ("debugger/search#" last-stop-before call-and-come-back last-events-before observe-span touches?))
