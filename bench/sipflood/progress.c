// SPDX-License-Identifier: Apache-2.0
#include "sipflood/progress.h"

#include <inttypes.h>

#include "sipflood/pace.h"

enum { BAR_COLUMNS = 20 };

static double quantile_us(const struct progress *p, uint32_t ppm)
{
    return (double)histogram_quantile(p->latency_ns, ppm) / NS_PER_US;
}

static void print_bar(FILE *terminal, double done)
{
    const int filled = (int)((done < 1 ? done : 1) * BAR_COLUMNS);
    (void)fprintf(terminal, "[%.*s%*s] %3.0f%%  ", filled, "####################",
                  BAR_COLUMNS - filled, "", (done < 1 ? done : 1) * 100);
}

void progress_show(FILE *terminal, const struct progress *p)
{
    progress_hide(terminal);
    if (p->done >= 0) {
        print_bar(terminal, p->done);
    } else {
        (void)fprintf(terminal, "trying %" PRIu64 "/s  ", p->rate_per_s);
    }
    (void)fprintf(terminal,
                  "sent %" PRIu64 "/s  answers %" PRIu64 "/s  wrong %" PRIu64 "  lost %" PRIu64,
                  p->since->sent, tally_answers(p->since), tally_wrong(p->run), p->run->lost);
    if (p->run->refused > 0) {
        (void)fprintf(terminal, "  refused %" PRIu64, p->run->refused);
    }
    (void)fprintf(terminal, "  p99 %.0f us", quantile_us(p, 990000));
    (void)fflush(terminal);
}

void progress_hide(FILE *terminal)
{
    (void)fputs("\r\033[K", terminal);
    (void)fflush(terminal);
}

void progress_csv_head(FILE *out)
{
    (void)fputs(
        "time_s,rate_per_s,sent,answers,right,refused,wrong,lost,p50_us,p90_us,p99_us,p999_us,"
        "max_us\n",
        out);
}

void progress_csv(FILE *out, const struct progress *p)
{
    (void)fprintf(out,
                  "%.3f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
                  ",%" PRIu64 ",%.1f,%.1f,%.1f,%.1f,%.1f\n",
                  p->at_s, p->rate_per_s, p->since->sent, tally_answers(p->since), p->since->right,
                  p->since->refused, tally_wrong(p->since), p->since->lost, quantile_us(p, 500000),
                  quantile_us(p, 900000), quantile_us(p, 990000), quantile_us(p, 999000),
                  quantile_us(p, HISTOGRAM_PPM));
    (void)fflush(out);
}
