#include <iostream>

#include "cli/run.h"
#include "daemon/serve.h"

int main(int argc, char** argv) { return cli::run(argc, argv, sidecar::serve, std::cout, std::cerr); }
