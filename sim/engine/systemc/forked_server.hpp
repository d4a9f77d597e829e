// A forked copy of this process that answers one line after the other. What a line does to it (crash, hang, eat all
// memory), its parent survives and can tell.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace strata {

class ForkedServer {
public:
    // `answer` is called in the copy, for each line; neither it nor what is returned has a newline.
    explicit ForkedServer(const std::function<std::string(const std::string&)>& answer);
    ForkedServer(const ForkedServer&) = delete;
    ForkedServer& operator=(const ForkedServer&) = delete;
    ~ForkedServer();  // the copy is killed

    // Throws std::runtime_error if no answer comes within `time_s`: how the copy ended, or that it took too long. It
    // has no use after that.
    std::string ask(const std::string& line, double time_s);

private:
    bool receive(double time_s, std::string& text);
    std::string ending();

    pid_t process_ = -1;
    int socket_ = -1;
};

}  // namespace strata
